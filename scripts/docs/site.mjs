// A plugin of typedoc: the guides stand in the site's navigation as docs/README.md lists them, under its headings and with its words.
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Converter, KindRouter } from 'typedoc';

const FOLDER = 'docs';

/**
 * docs/README.md and the guides that it links to, in its order: file, text of the link, and the heading above it.
 */
export function guides() {
  const readme = resolve(FOLDER, 'README.md');
  const found = new Map();
  let section = '';
  for (const line of readFileSync(readme, 'utf8').split('\n')) {
    section = /^\*\*(?<title>.+)\*\*$/.exec(line)?.groups.title ?? section;
    for (const { groups } of line.matchAll(/\[(?<title>[^\]]+)\]\((?<path>[\w./-]+\.md)\)/g)) {
      const file = resolve(FOLDER, groups.path);
      if (!found.has(file)) found.set(file, { file, title: groups.title, section });
    }
  }
  const listed = [...found.values()];
  return [{ file: readme, title: 'All guides', section: listed[0]?.section }, ...listed];
}

/** The address of a guide: `guides/serving` for docs/serving.md, `guides/bench` for bench/README.md. */
function address(file) {
  const path = relative('.', file).replaceAll('\\', '/').replace(/\.md$/, '');
  return `guides/${path
    .replace(/^docs\//, '')
    .replace(/\/README$/, '')
    .replaceAll('/', '-')
    .toLowerCase()}`;
}

const addresses = new WeakMap();

/** The addresses that typedoc gives, except for guides: those are named by their file. */
class GuideRouter extends KindRouter {
  /** @param {import('typedoc').Reflection} reflection - what has a page */
  getIdealBaseName(reflection) {
    return addresses.get(reflection) ?? super.getIdealBaseName(reflection);
  }
}

/** @param {import('typedoc').Application} app - typedoc, which has read its options. */
export function load(app) {
  app.renderer.defineRouter('guides', GuideRouter);
  const listed = guides();
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    // Until here a document's name is its path below the folder that all have in common.
    const guide = listed.find(({ file }) => file === resolve(`${document.name}.md`));
    if (guide === undefined) throw new Error(`${document.name}.md is not listed in ${FOLDER}/README.md`);
    addresses.set(document, address(guide.file));
    document.frontmatter.group = guide.section;
    document.name = guide.title.replaceAll('`', '');
  });
}
