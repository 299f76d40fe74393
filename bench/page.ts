/**
 * Writes docs/benchmarks.md, and the picture and figures made of it, from what the comparison wrote with `--json`; without a file it compares
 * first, which takes 22 minutes on two quiet cores.
 *
 *     npm run bench -- page [RESULTS.json...]
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLACE as SEQUENCES, writeSequences } from '../scripts/docs/sequences.js';
import { writeSpeed } from '../scripts/docs/speed.js';
import { PLACE, writeTagging } from '../scripts/docs/tagging.js';
import type { Row } from './compare/types.js';

interface Details {
  environment: { date: string; processor: string; cores: number; versions: Record<string, string | number | boolean> };
  options: { repeats: number };
}

/** Runs the comparison, if the machine is quiet enough for its times to mean something. */
function compared(): string {
  const load = loadavg()[0]!;
  if (load > availableParallelism() / 4)
    throw new Error(
      `Other programs are running (load ${load.toFixed(1)}): measure at a quiet moment, or give files of results`,
    );
  const file = join(tmpdir(), 'recurra-benchmarks.json');
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const args = [...process.execArgv, main, 'full', '--json', file];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`The comparison ended with code ${status}; what it measured is in ${file}`);
  return file;
}

const given = process.argv.slice(2);
const files = given.length > 0 ? given : [compared()];
const measured = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Row[]);
// What was measured more than once counts with its last measurement.
const rows = [...new Map(measured.map((row) => [`${row.work} | ${row.against} | ${row.shape}`, row])).values()];
const details = files.map(
  (file) => JSON.parse(readFileSync(file.replace(/\.json$/, '.details.json'), 'utf8')) as Details,
) as [Details];
const [{ environment, options }] = details;
const fewest = Math.min(...details.map(({ options }) => options.repeats));

const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
const isSweep = ({ work }: Row) => work.startsWith('every shape of the table');
const table = (list: Row[]) =>
  [
    '| work | against | shape | threads | recurra | the other | unit | ratio |',
    '|---|---|---|---|---|---|---|---|',
    ...list.map(({ work, against, shape, threads, ours, theirs, unit, ratio, settings }) => {
      const how = theirs === undefined ? '' : ` (${settings.theirs})`;
      const cells = [
        work,
        `${against}${how}`,
        shape,
        threads,
        number(ours),
        number(theirs),
        unit,
        `${ratio.toPrecision(3)}x`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ].join('\n');

/** Shapes of one kind of work, and their ratios in short. */
function sweep(kind: 'training' | 'inference'): string {
  const list = rows.filter((row) => isSweep(row) && row.work.includes(kind));
  if (list.length === 0) return 'Not measured in this run.';
  const ratios = list.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const middle = (ratios[Math.floor((ratios.length - 1) / 2)]! + ratios[Math.ceil((ratios.length - 1) / 2)]!) / 2;
  const short = `${list.length} shapes, lowest ratio ${ratios[0]!.toPrecision(3)}x, median ${middle.toPrecision(3)}x.`;
  return `${table(list)}\n\n${short}`;
}

const text = `# Speed, compared with PyTorch

Written by \`npm run bench -- page\` from the results of \`npm run bench\`; [bench/README.md](../bench/README.md) says what is compared, and how it is
kept fair. Both sides take turns in one run; each figure is the median of ${options.repeats}${fewest < options.repeats ? `, of ${fewest} for other shapes` : ''}. On a shared machine, trust the ratios more than the times.

${environment.processor}, ${environment.cores} cores, ${environment.date.slice(0, 10)}; recurra ${environment.versions.recurra}, Node.js ${environment.versions.node}, PyTorch ${environment.versions.torch} (${environment.versions.capability}).

## The lesson's network

${table(rows.filter((row) => !isSweep(row)))}

"PyTorch's best" is the fastest of its settings: optimizer, padded or packed, oneDNN, threads, order of rows; the one that won is named in brackets.
What was measured more than once counts with its last measurement.

## Other shapes, training

${sweep('training')}

## Other shapes, prediction

${sweep('inference')}

## Taggers

Measured by \`npm run bench -- tagger\`; the times are only as good as the machine was quiet.

${PLACE}

## Sequence to sequence

\`npm run bench -- seq2seq\` compares the network of \`Seq2Seq\` with the same one in PyTorch: a bidirectional encoder, and a decoder with attention and input
feeding, on pronunciations of the CMU dictionary. Both start with the same weights, take turns, and read the same batches; each figure is a median.

${SEQUENCES}
`;
writeFileSync('docs/benchmarks.md.new', text);
renameSync('docs/benchmarks.md.new', 'docs/benchmarks.md');
writeSpeed();
writeTagging();
writeSequences();
console.log('written: docs/benchmarks.md, its picture, and the figures of README.md and docs/how-it-works.md');
