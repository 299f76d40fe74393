/**
 * Writes the figures of taggers in docs/benchmarks.md from what `npm run bench -- tagger --json bench/tagger/results.json` measured:
 * node --import tsx scripts/docs/tagging.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Measured, tablesOf } from '../../bench/tagger/report.js';
import { between } from './write.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const RESULTS = 'bench/tagger/results.json';
const PAGE = 'docs/benchmarks.md';

/** Where the figures stand in a page that is written as a whole. */
export const PLACE = '<!-- figures of scripts/docs/tagging.ts -->\n<!-- end -->';

/** The figures in Markdown. */
export function taggerFigures(measured: Measured): string {
  const { processor, cores, threads, limit, date, versions, outcomes, busy } = measured;
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${processor}, ${cores} cores${busy ? ' that other programs worked on too' : ''}, ${date.slice(0, 10)}; ${threads === 1 ? '1 thread' : `${threads} threads`} each; ${with_.join(', ')}. The trainings of the others ended after ${limit} s at most: their scores say how fast they learn, not how good they become.`,
    ...outcomes.map((outcome) => tablesOf(outcome)),
    '',
  ].join('\n\n');
}

/** Writes the page. */
export function writeTagging(): string {
  const measured = JSON.parse(readFileSync(`${root}${RESULTS}`, 'utf8')) as Measured;
  const path = `${root}${PAGE}`;
  writeFileSync(path, between(readFileSync(path, 'utf8'), 'tagging', `\n${taggerFigures(measured)}`));
  return PAGE;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`written: ${writeTagging()}`);
