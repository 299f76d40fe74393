// Says what a deployment needs where no plain `require` says it: the addons, whose package depends on the platform, and libraries that are
// loaded late by `createRequire`. Programs that collect the files of a deployment (Next.js, Vercel, Netlify) run nothing; they read
// requires, and files named below `__dirname`.

import { readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

/** The addons' files as seen from `dist` in `node_modules`, for every platform that has a package. */
function addonFiles(root) {
  return readdirSync(join(root, 'npm'))
    .map((name) => /^(recurra|recurra-torch)-((?:linux|win32|darwin)-.*)$/.exec(name))
    .filter((match) => match !== null)
    .map(([name, binary, platform]) => `../../${name}/${binary}.${platform}.node`);
}

const LATE = /(?:\brequire|\bcreateRequire\(import\.meta\.url\)(?:\.resolve)?)\('([^'.][^']*)'\)/g;

/**
 * A rollup plugin for CommonJS chunks in one folder: a function that is never called, at the end of each chunk that
 * needs it.
 */
export function traced(root) {
  const libraries = new Map();
  return {
    name: 'traced',
    transform(code, id) {
      libraries.set(
        id,
        [...code.matchAll(LATE)].map(([, name]) => name).filter((name) => !isBuiltin(name)),
      );
      return null;
    },
    renderChunk(code, { moduleIds }) {
      const names = [...new Set(moduleIds.flatMap((id) => libraries.get(id) ?? []))];
      const files = moduleIds.some((id) => id.endsWith(join('native', 'addon.js'))) ? addonFiles(root) : [];
      if (names.length + files.length === 0) return null;
      const lines = [
        ...names.map((name) => `  require('${name}');`),
        ...files.map((file) => `  require('node:fs').readFileSync(require('node:path').join(__dirname, '${file}'));`),
      ];
      const why = '// Never called: it names files for programs that collect what a deployment needs.';
      return { code: `${code}\n${why}\nfunction recurraNeeds() {\n${lines.join('\n')}\n}\n`, map: null };
    },
  };
}
