import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { checkOptions } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import { packageRoot } from '../native/addon.js';
import type { CommonReport } from './format.js';

/** Options of {@link reportPage}. */
export interface ReportPageOptions {
  /** Heading of the page. Default `'Model report'`. */
  title?: string;
  /** A line below it, such as the names of the files. Default: none. */
  subtitle?: string;
}

/** Scripts of the page, in dependency order. */
const SCRIPTS = ['dom', 'tables', 'charts', 'overview', 'matrix', 'texts', 'kinds', 'main'] as const;

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!);

/** JSON for use inside a script: sequences that would end it are escaped. */
const embedded = (value: unknown) =>
  JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** A module as a part of one script: its imports are earlier parts. */
const joined = (code: string) => code.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');

const hashOf = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** The files of the page. */
function files() {
  const folder = join(packageRoot(), 'web', 'report');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const library = dirname(createRequire(import.meta.url).resolve('uplot'));
  const uPlot = readFileSync(join(library, 'uPlot.iife.min.js'), 'utf8');
  const own = SCRIPTS.map((name) => joined(read(`${name}.js`))).join('\n');
  return {
    style: `${readFileSync(join(library, 'uPlot.min.css'), 'utf8')}\n${read('report.css')}`,
    // This would end the script.
    script: `${uPlot}\n(() => {\n'use strict';\n${own}\n})();`.replaceAll('</script', '<\\/script'),
  };
}

/**
 * A report as one page of HTML: self-contained, without network requests or a server.
 *
 * @param report - The result of {@link reportModel}.
 * @param options - See {@link ReportPageOptions}.
 * @throws {@link ArgumentError} for a value that is not a report, and for invalid options.
 *
 * @example
 * ```ts
 * const report = await reportModel(model, rows);
 * const page = reportPage(report, { title: 'Tickets', subtitle: 'tickets.safetensors on test.csv' });
 * ```
 */
export function reportPage(report: CommonReport, options: ReportPageOptions = {}): string {
  const given = report as Partial<CommonReport> | null | undefined;
  if (typeof given !== 'object' || given === null || !Array.isArray(given.facts))
    throw invalidArgument('report', 'the result of reportModel', report);
  const checked = checkOptions('reportPage', options, ['title', 'subtitle']);
  const { title = 'Model report', subtitle = '' } = checked;
  for (const [name, value] of Object.entries({ title, subtitle }))
    if (typeof value !== 'string') throw invalidArgument(name, 'a string', value);
  const { style, script } = files();
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header class="top">
<h1>${escaped(title)}</h1>
${subtitle ? `<p class="subtitle">${escaped(subtitle)}</p>` : ''}
<nav id="contents" aria-label="Sections"></nav>
</header>
<main id="report"></main>
<noscript>This report needs JavaScript; nothing leaves the page. The same data come from recurra report --json.</noscript>
<script type="application/json" id="data">${embedded(report)}</script>
<script>${script}</script>
</body>
</html>
`;
}
