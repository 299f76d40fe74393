// What bundlers for browsers get in place of `recurra`, whose addon and files only Node.js has. They take the condition `browser` of `exports`.

const ADVICE =
  'recurra runs in Node.js, not in a browser: it needs a native addon and files. In a browser or an edge runtime use the package recurra-web, ' +
  "which predicts with the same model files: import { load } from 'recurra-web'. To train a model, or to predict on a server, import recurra only in " +
  'code of the server';

const REFUSAL = `throw Object.assign(new Error(${JSON.stringify(ADVICE)}), { code: 'ADDON_NOT_FOUND' });`;

/** Names of the files of an entry for browsers, in the package's dist. */
export const browserFiles = (entry) => ({ module: `${entry}-browser.js`, commonJs: 'browser.cjs' });

/** A module with the names of an entry, so that a bundle can be made; it throws when it is imported. */
export function browserModule(names) {
  const list = names.map((name) => `  ${name},\n`).join('');
  return `function refuse() {\n  ${REFUSAL}\n}\n\nexport const {\n${list}} = refuse();\n`;
}

/** The same for `require`; it needs no names. */
export const browserCommonJs = `'use strict';\n\n${REFUSAL}\n`;
