/**
 * Writes the tables of the machine's limits in docs/benchmarks.md from what `npm run bench -- roofline --json bench/roofline/results.json`
 * measured: node --import tsx scripts/docs/roofline.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rooflineTables } from '../../bench/roofline/report.js';
import type { Roofline } from '../../bench/roofline/types.js';
import { between } from './write.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'docs/benchmarks.md';

/** Where the tables stand in a page that is written as a whole. */
export const PLACE = '<!-- figures of scripts/docs/roofline.ts -->\n<!-- end -->';

/** What was measured last. */
export function rooflineResults(): Roofline {
  return JSON.parse(readFileSync(`${root}bench/roofline/results.json`, 'utf8')) as Roofline;
}

/** The tables in Markdown. */
export function rooflineFigures(result: Roofline): string {
  const where = `${result.processor}, ${result.cores} cores${result.busy ? ' that other programs worked on too, which lowers the rows of several threads' : ''}, ${result.date.slice(0, 10)}.`;
  return `${where}\n\n${rooflineTables(result)}\n\n`;
}

/** Writes the page. */
export function writeRoofline(): string {
  const path = `${root}${PAGE}`;
  writeFileSync(path, between(readFileSync(path, 'utf8'), 'roofline', `\n${rooflineFigures(rooflineResults())}`));
  return PAGE;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`written: ${writeRoofline()}`);
