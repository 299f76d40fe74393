/**
 * Computes from the measured table of docs/distributed.md what more machines would give, writes that table next to it
 * and draws docs/images/distributed.svg: `node --import tsx scripts/docs/distributed.ts`.
 *
 * The formulas are those that the page shows.
 */
import { readFileSync } from 'node:fs';
import { makeTexts } from '../../bench/compare/data.js';
import { LESSON } from '../../bench/compare/shapes.js';
import { card, writePages } from './write.js';

const PAGE = 'docs/distributed.md';
/** Machines that are computed. */
const MACHINES = [2, 4, 16, 64];
/** A network: bytes in a second, and seconds from one machine to another. */
interface Network {
  bandwidth: number;
  delay: number;
}
/** That of the measurement, and one of a data centre. */
const SLOW: Network = { bandwidth: 125e6, delay: 0.5e-3 };
const FAST: Network = { bandwidth: 3_125e6, delay: 0.05e-3 };
/** Tokens of a chunk of steps on one rank. */
const CHUNK_TOKENS = 16_384;
const FLOAT = 4;

/** A row of the measured table. */
interface Measured {
  hidden: number;
  rows: number;
  /** Steps in a second of two ranks, on one machine or over the wire. */
  ranks: number;
  /** Seconds of one rank's rows by one thread alone. */
  compute: number;
}

/** The rows of a network of the measured table. */
function measured(page: string, network: string): Measured[] {
  const table = /<!-- measured -->\n([\s\S]*?)<!-- end of measured -->/.exec(page)?.[1] ?? '';
  return table
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, , name]) => name === network)
    .map(([, hidden, , rows, ranks, , compute]) => ({
      hidden: Number(hidden),
      rows: Number(rows),
      ranks: Number(ranks),
      compute: Number(compute) / 1000,
    }));
}

const { tokens, lengths } = makeTexts(LESSON.vocabulary, LESSON.lengths, LESSON.classes);

/** Different words of the first rows. */
function differentWords(rows: number): number {
  let end = 0;
  for (let row = 0; row < rows; row++) end += lengths[row % lengths.length]!;
  return new Set(tokens.subarray(0, Math.min(end, tokens.length))).size;
}

/** Seconds of a ring of machines that hands `bytes` round `times` times. */
function ring({ bandwidth, delay }: Network, machines: number, bytes: number, times: number): number {
  return times * (((machines - 1) / machines) * (bytes / bandwidth) + (machines - 1) * delay);
}

/** The time of a step on this many machines. */
function step(
  { hidden, rows, compute }: Measured,
  machines: number,
  network: Network,
): { megabytes: number; seconds: number } {
  const { embedding, classes } = LESSON;
  const dense = 4 * hidden * (embedding + hidden + 2) + classes * (hidden + 1);
  const gradients = FLOAT * (dense + embedding * differentWords(rows * machines));
  const together = Math.max(1, Math.floor(CHUNK_TOKENS / (rows * LESSON.lengths.mean)));
  // Of a chunk: the ids of all its words, and how many they are; then what each rank tells of its end.
  const ids = FLOAT * differentWords(rows) * together * machines;
  const chunk = ring(network, machines, ids, 1) + 3 * ring(network, machines, 0, 1);
  return {
    megabytes: (2 * (machines - 1) * gradients) / machines / 1e6,
    seconds: compute + ring(network, machines, gradients, 2) + chunk / together,
  };
}

const page = readFileSync(PAGE, 'utf8');
const works = measured(page, 'one machine');
const overWire = measured(page, '1 Gbit/s, 0.5 ms');
const lines = works.flatMap((work) =>
  MACHINES.map((machines) => {
    const { megabytes, seconds } = step(work, machines, SLOW);
    const speed = (each: Network) => (machines * work.compute) / step(work, machines, each).seconds;
    const found =
      machines === 2 ? overWire.find((each) => each.hidden === work.hidden && each.rows === work.rows) : undefined;
    return { ...work, machines, megabytes, seconds, speed: speed(SLOW), fast: speed(FAST), found };
  }),
);
const table = [
  '| hidden | rows a rank | machines | MB that each sends in a step | ms a step | measured, ms | speed at 1 Gbit/s, 0.5 ms | speed at 25 Gbit/s, 0.05 ms |',
  '|---|---|---|---|---|---|---|---|',
  ...lines.map(({ hidden, rows, machines, megabytes, seconds, speed, fast, found }) => {
    const cells = [hidden, rows, machines, megabytes.toFixed(2), (1000 * seconds).toFixed(0)];
    const step = found ? (1000 / found.ranks).toFixed(0) : '';
    return `| ${[...cells, step, `${speed.toFixed(1)}x`, `${fast.toFixed(1)}x`].join(' | ')} |`;
  }),
].join('\n');

/** Bars: for each work how much faster machines are, in both networks, as shares of their number. */
function drawn(): string {
  const [width, left, bar] = [760, 250, 22];
  const shown = lines.filter(({ rows }) => rows > 64);
  const longest = width - left - 150;
  const body = shown.map(({ hidden, rows, machines, speed, fast }, i) => {
    const y = 62 + i * bar;
    const length = (value: number) => Math.max(2, (longest * value) / machines).toFixed(1);
    return `  <text class="name small" x="${left - 12}" y="${y + 13}">hidden ${hidden}, ${rows} rows, ${machines} machines</text>
  <rect class="third" x="${left}" y="${y}" width="${longest}" height="15" rx="3"/>
  <rect class="theirs" x="${left}" y="${y}" width="${length(fast)}" height="15" rx="3"/>
  <rect class="ours" x="${left}" y="${y}" width="${length(speed)}" height="15" rx="3"/>
  <text class="small" x="${left + longest + 8}" y="${y + 13}">${speed.toFixed(1)}x, ${fast.toFixed(1)}x</text>`;
  });
  const words = {
    title: 'Computed speed of 2, 4, 16 and 64 machines',
    head: 'Computed: how many times as fast several machines train as one',
    note: 'blue: 1 Gbit/s, 0.5 ms; grey: 25 Gbit/s, 0.05 ms; a full bar is as many times as there are machines',
  };
  return card({ width, height: 62 + shown.length * bar + 12 }, words, ['third', 'theirs', 'ours'], body);
}

const alt = 'Bar chart of the speeds in the table above, for 256 and 1,024 rows a rank';
console.log(
  writePages('distributed', drawn(), { [PAGE]: `${table}\n\n![${alt}](images/distributed.svg)\n` }).join('\n'),
);
