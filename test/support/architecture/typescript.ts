import { readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import ts from 'typescript';
import type { Graph } from './cycles.js';

/** The modules that a source names in `import`, `export ... from` and `import('...')` as a type; not those that it loads later. */
export function staticImports(source: string): string[] {
  const names: string[] = [];
  const note = (node: ts.Node | undefined): void => {
    if (node && ts.isStringLiteral(node)) names.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) note(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) note(node.argument.literal);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
  return names;
}

/**
 * The arrows between the files of a folder.
 *
 * @param folder - Where the sources are.
 * @returns Files relative to the folder, with `/`; only imports of files inside it.
 */
export function importsOf(folder: string): Graph {
  const graph = new Map<string, Set<string>>();
  for (const file of filesOf(folder)) {
    const targets = new Set<string>();
    for (const name of staticImports(readFileSync(join(folder, file), 'utf8'))) {
      if (!name.startsWith('.')) continue;
      // TypeScript's sources name each other as what they become.
      const target = posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts');
      if (!target.startsWith('..')) targets.add(target);
    }
    graph.set(file, targets);
  }
  return graph;
}

function filesOf(folder: string): string[] {
  return ts.sys
    .readDirectory(folder, ['.ts', '.mjs'])
    .map((file) => relative(folder, file).replaceAll('\\', '/'))
    .sort();
}
