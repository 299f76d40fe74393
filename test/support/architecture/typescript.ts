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

/** Whether a statement imports or exports nothing but types, which are gone when it runs. */
function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  const names = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly : node.isTypeOnly) return true;
  if (!names || ts.isNamespaceImport(names) || ts.isNamespaceExport(names)) return false;
  const hasDefault = ts.isImportDeclaration(node) && node.importClause?.name !== undefined;
  return !hasDefault && names.elements.length > 0 && names.elements.every(({ isTypeOnly: type }) => type);
}

/** What a file imports when it runs, directly or through others: files relative to `folder`, and the names of other modules; sorted. */
export function valueImports(folder: string, file: string): string[] {
  const found = new Set<string>();
  const look = (from: string): void => {
    const source = ts.createSourceFile(from, readFileSync(join(folder, from), 'utf8'), ts.ScriptTarget.Latest, true);
    for (const node of source.statements) {
      if (!(ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) || isTypeOnly(node)) continue;
      if (!node.moduleSpecifier || !ts.isStringLiteral(node.moduleSpecifier)) continue;
      const name = node.moduleSpecifier.text;
      const inside = name.startsWith('.');
      const target = inside ? posix.join(posix.dirname(from), name).replace(/\.js$/, '.ts') : name;
      if (found.has(target)) continue;
      found.add(target);
      if (inside) look(target);
    }
  };
  look(file);
  return [...found].sort();
}

function filesOf(folder: string): string[] {
  return ts.sys
    .readDirectory(folder, ['.ts', '.mjs'])
    .map((file) => relative(folder, file).replaceAll('\\', '/'))
    .sort();
}
