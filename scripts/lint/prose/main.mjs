// The project's prose: guides by textlint (terms, and our word list), comments and messages of sources by the word list.
//   node scripts/lint/prose/main.mjs [--guides] [PATH ...]
// A path is a file or a folder; without one, everything is read. --guides: no sources. Prints file:line:column for each find, and exits with 1
// if there is one.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createLinter, loadTextlintrc } from 'textlint';
import { root } from '../../native/addons.mjs';
import { words } from './rule.mjs';
import { proseOfRust, proseOfScript, proseOfTypeScript } from './sources.mjs';
import { findWords } from './words.mjs';

const SOURCES = new Map([
  ['.ts', proseOfTypeScript],
  ['.mts', proseOfTypeScript],
  ['.js', proseOfTypeScript],
  ['.mjs', proseOfTypeScript],
  ['.rs', proseOfRust],
  ['.py', proseOfScript],
  ['.sh', proseOfScript],
]);

/** Folders whose sources are read. Tests are not: they quote what is wrong. */
const READ = /^(src|crates|scripts|bench|examples|fuzz|web|packages)\//;
/** Generated, or the list itself. */
const SKIPPED =
  /^(docs\/api\/|index\.d\.ts$|scripts\/lint\/prose\/words\.mjs$|web\/.*\.min\.|.*\/fixtures\/|fuzz\/seeds\/|node_modules\/)/;
/** The guides: README and its like at the top, docs, and what the packages bring. */
const GUIDES = /^([A-Z_]+\.md|docs\/.*\.md|npm\/.*\.md|examples\/.*\.md|bench\/.*\.md)$/;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !SKIPPED.test(file));

const { values, positionals } = parseArgs({ options: { guides: { type: 'boolean' } }, allowPositionals: true });
const wanted = positionals.map((path) => relative(root, resolve(path)));
const isWanted = (file) =>
  wanted.length === 0 || wanted.some((path) => path === '' || file === path || file.startsWith(`${path}/`));

/** The part of a guide that is still written: of the change log, what is not released. */
function written(file, text) {
  if (file !== 'CHANGELOG.md') return text;
  const [, second] = [...text.matchAll(/^## /gm)];
  return second === undefined ? text : text.slice(0, second.index);
}

function placeOf(text, index) {
  const before = text.slice(0, index);
  const line = before.split('\n').length;
  return { line, column: index - before.lastIndexOf('\n') };
}

const config = await loadTextlintrc({ configFilePath: join(root, '.textlintrc.json') });
const linter = createLinter({
  cwd: root,
  descriptor: config.shallowMerge({ rules: [...config.toKernelOptions().rules, { ruleId: 'words', rule: words }] }),
});

let found = 0;
function tell(file, line, column, message) {
  found++;
  process.stdout.write(`${file}:${line}:${column}  ${message}\n`);
}

let read = 0;
for (const file of files) {
  if (!isWanted(file)) continue;
  if (GUIDES.test(file)) {
    read++;
    const { messages } = await linter.lintText(written(file, readFileSync(join(root, file), 'utf8')), join(root, file));
    for (const { line, column, message } of messages) tell(file, line, column, message);
    continue;
  }
  const proseOf = SOURCES.get(extname(file));
  if (values.guides || proseOf === undefined || !READ.test(file)) continue;
  read++;
  const source = readFileSync(join(root, file), 'utf8');
  for (const { index, found: phrase, use } of findWords(proseOf(source))) {
    const { line, column } = placeOf(source, index);
    tell(file, line, column, `"${phrase}": write ${use}`);
  }
}
process.stdout.write(
  found === 0 ? `prose: nothing to change in ${read} files\n` : `prose: ${found} places to change in ${read} files\n`,
);
process.exitCode = found === 0 ? 0 : 1;
