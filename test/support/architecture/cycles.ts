/** For each file the files that it needs. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds the circles of a graph: its strongly connected components of more than one node, and nodes that need themselves. Tarjan's
 * algorithm.
 *
 * @param graph - Arrows; a node that is a target only need not be a key.
 * @returns One list of nodes a circle, sorted; the circles are sorted by their first node.
 */
export function findCircles(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: string[][] = [];

  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) {
        visit(next);
        low.set(node, Math.min(low.get(node)!, low.get(next)!));
      } else if (onStack.has(next)) {
        low.set(node, Math.min(low.get(node)!, index.get(next)!));
      }
    }
    if (low.get(node) !== index.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    for (const member of component) onStack.delete(member);
    if (component.length > 1 || graph.get(node)?.has(node)) circles.push(component.sort());
  };

  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}
