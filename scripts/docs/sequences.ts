/**
 * Writes the figures of sequence to sequence in docs/benchmarks.md from what `npm run bench -- seq2seq --json bench/seq2seq/results.json`
 * measured: node --import tsx scripts/docs/sequences.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Measured, tableOf } from '../../bench/seq2seq/report.js';
import { between } from './write.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const RESULTS = 'bench/seq2seq/results.json';
const PAGE = 'docs/benchmarks.md';

/** Where the figures stand in a page that is written as a whole. */
export const PLACE = '<!-- figures of scripts/docs/sequences.ts -->\n<!-- end -->';

/** The figures in Markdown. */
export function sequenceFigures({ processor, cores, threads, date, busy, versions, rows }: Measured): string {
  const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${processor}, ${cores} cores${busy ? ' that other programs worked on too' : ''}, ${date.slice(0, 10)}; ${threads === 1 ? '1 thread' : `${threads} threads`} each; ${with_.join(', ')}.`,
    tableOf(rows),
    '',
  ].join('\n\n');
}

/** Writes the page. */
export function writeSequences(): string {
  const measured = JSON.parse(readFileSync(`${root}${RESULTS}`, 'utf8')) as Measured;
  const path = `${root}${PAGE}`;
  writeFileSync(path, between(readFileSync(path, 'utf8'), 'sequences', `\n${sequenceFigures(measured)}`));
  return PAGE;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`written: ${writeSequences()}`);
