/**
 * Writes the tables of the machines' limits in docs/benchmarks.md from what `npm run bench -- roofline --json bench/roofline/results/NAME.json`
 * measured, a file for each processor: node --import tsx scripts/docs/roofline.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rooflineTables } from '../../bench/roofline/report.js';
import type { Roofline } from '../../bench/roofline/types.js';
import { between } from './write.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'docs/benchmarks.md';

/** Where the tables stand in a page that is written as a whole. */
export const PLACE = '<!-- figures of scripts/docs/roofline.ts -->\n<!-- end -->';

/** What was measured last on each processor. */
export function rooflineResults(): Roofline[] {
  const folder = `${root}bench/roofline/results/`;
  const files = readdirSync(folder).sort();
  return files.map((file) => JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as Roofline);
}

/** The tables in Markdown, a section for each processor. */
export function rooflineFigures(results: readonly Roofline[]): string {
  const sections = results.map((result) => {
    const busy = result.busy ? ' that other programs worked on too, which lowers the rows of several threads' : '';
    const tables = rooflineTables(result).replace(/^### /gm, '#### ');
    return `### ${result.processor}\n\n${result.cores} cores${busy}, ${result.date.slice(0, 10)}.\n\n${tables}\n\n`;
  });
  return sections.join('');
}

/** Writes the page. */
export function writeRoofline(): string {
  const path = `${root}${PAGE}`;
  writeFileSync(path, between(readFileSync(path, 'utf8'), 'roofline', `\n${rooflineFigures(rooflineResults())}`));
  return PAGE;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`written: ${writeRoofline()}`);
