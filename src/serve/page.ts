import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { packageRoot } from '../native/addon.js';

/**
 * Nothing but this server's own scripts and style, and questions to this server. No script may make HTML out of text, not even
 * its own.
 */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const SCRIPTS = [
  'page',
  'about',
  'caution',
  'classifier',
  'code',
  'dom',
  'history',
  'language',
  'pairs',
  'server',
  'storage',
  'tagger',
  'theme',
] as const;

const JAVASCRIPT = 'text/javascript';

/** The files of the page: where they are found, what they are called and of which type they are. */
export const PAGE_FILES: readonly { path: string; file: string; type: string; what: string }[] = [
  { path: '/', file: 'index.html', type: 'text/html', what: 'A page for trying texts by hand.' },
  ...SCRIPTS.map((name) => ({
    path: `/page/${name}.js`,
    file: `${name}.js`,
    type: JAVASCRIPT,
    what: 'A script of the page.',
  })),
  { path: '/page/page.css', file: 'page.css', type: 'text/css', what: 'The style of the page.' },
];

/** The routes of the page for trying texts by hand. */
export function pageRoutes(app: FastifyInstance): void {
  for (const { path, file, type } of PAGE_FILES) {
    const content = readFileSync(join(packageRoot(), 'web', 'serve', file), 'utf8');
    app.get(path, (_, reply: FastifyReply) => {
      reply
        .type(`${type}; charset=utf-8`)
        .header('content-security-policy', PAGE_POLICY)
        .header('cross-origin-opener-policy', 'same-origin')
        .header('referrer-policy', 'no-referrer');
      return content;
    });
  }
}
