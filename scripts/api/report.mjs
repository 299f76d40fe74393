// The public surface as text: every exported declaration without comments and bodies, sorted, so that a change of it
// shows in a review and nowhere else.

import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../native/addons.mjs';
import { entryNames, entryTypes } from '../package/bundle.mjs';

/** Where the record is kept. */
export const reportPath = join(root, 'test', 'api', 'public-api.md');

const header = `# The public surface of recurra

Written by \`npm run api\` from the published declarations; a test compares it. A change here is a change for users: what
was removed or made narrower needs a new major version (before 1.0.0: a new minor one), what was added a new minor one.

`;

/** The name that each exported declaration has outside: \`index_d$1\` is \`nn\`. */
function exportedNames(statements) {
  const names = new Map();
  for (const statement of statements) {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || statement.moduleSpecifier) continue;
    for (const { propertyName, name } of statement.exportClause.elements)
      names.set((propertyName ?? name).text, name.text);
  }
  return names;
}

const isPrivate = (member) =>
  member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) ||
  (member.name && ts.isPrivateIdentifier(member.name));

/** Takes private members away. */
function withoutPrivate(context) {
  const visit = (node) => {
    const visited = ts.visitEachChild(node, visit, context);
    const { factory } = context;
    if (ts.isClassDeclaration(visited))
      return factory.updateClassDeclaration(
        visited,
        visited.modifiers,
        visited.name,
        visited.typeParameters,
        visited.heritageClauses,
        visited.members.filter((member) => !isPrivate(member)),
      );
    return visited;
  };
  return visit;
}

const namesOf = (statement) =>
  ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map(({ name }) => name.text)
    : statement.name
      ? [statement.name.text]
      : [];

/** What one entry exports. */
async function declarations(dist, entry) {
  const text = await entryTypes(dist, entry);
  const source = ts.createSourceFile('index.d.ts', text, ts.ScriptTarget.Latest, true);
  const { transformed } = ts.transform(source, [(context) => (file) => ts.visitNode(file, withoutPrivate(context))]);
  const printer = ts.createPrinter({ removeComments: true });
  const outside = exportedNames(source.statements);
  const parts = [];
  for (const [i, statement] of transformed[0].statements.entries()) {
    const names = namesOf(source.statements[i]);
    if (names.length === 0) continue;
    const name = outside.get(names[0]);
    const printed = printer.printNode(ts.EmitHint.Unspecified, statement, source).replaceAll('    ', '  ');
    // One that is not exported by itself is named in the type of one that is, or is a part of a namespace.
    const mark =
      name === undefined ? '// not exported by this name\n' : name === names[0] ? '' : `// exported as ${name}\n`;
    parts.push({ key: `${name ?? names[0]} ${i.toString().padStart(6, '0')}`, text: mark + printed });
  }
  const collator = (a, b) => (a.key < b.key ? -1 : 1);
  return `\`\`\`ts\n${parts
    .sort(collator)
    .map((part) => part.text)
    .join('\n\n')}\n\`\`\`\n`;
}

/** The record's text from the declarations in `dist`. */
export async function apiReport(dist = join(root, 'dist')) {
  let text = header;
  for (const entry of entryNames) {
    text += `${entry === 'index' ? '' : `\n## recurra/${entry}\n\n`}${await declarations(dist, entry)}`;
  }
  return `${text}\n## recurra-web\n\n${await declarations(dist, 'web')}`;
}
