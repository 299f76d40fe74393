// The files that guides link to: a package has them all, so that none of its links is dead.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

const LINK = /\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g;

/** Code: its brackets and quotes are not links. */
const CODE = /^```[\s\S]*?^```|`[^`\n]*`/gm;

/** The files and folders that a guide links to, as paths from the root. */
function linksOf(root, file) {
  const text = readFileSync(join(root, file), 'utf8').replace(CODE, '');
  return [...text.matchAll(LINK)]
    .map(([, markdown, html]) => (markdown ?? html).split('#')[0])
    .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
    .map((link) => posix.normalize(posix.join(posix.dirname(file), link)));
}

/**
 * README.md, CHANGELOG.md, the guides and everything that they link to, directly or through another guide, as paths from the root.
 *
 * @throws Error for a link to a file that does not exist, or to a folder.
 */
export function linkedFiles(root) {
  const guides = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const found = new Set();
  const rest = ['README.md', 'CHANGELOG.md', ...guides.map((name) => `docs/${name}`)];
  for (let file = rest.pop(); file !== undefined; file = rest.pop()) {
    if (found.has(file)) continue;
    if (file.startsWith('..') || !existsSync(join(root, file)) || !statSync(join(root, file)).isFile())
      throw new Error(`a guide links to ${file}, which is not a file of the repository`);
    found.add(file);
    if (file.endsWith('.md')) rest.push(...linksOf(root, file));
  }
  return [...found].sort();
}

/** The links of all Markdown files in a package that lead nowhere, each as `FILE: PATH`. */
export function deadLinks(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => linksOf(folder, file).map((path) => ({ file, path })))
    .filter(({ path }) => path.startsWith('..') || !existsSync(join(folder, path)))
    .map(({ file, path }) => `${file}: ${path}`);
}
