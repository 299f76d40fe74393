import { levelName, shareOf, WHOLE } from './bound.js';
import type { Peak, Roofline, Row } from './types.js';

const ISAS: Readonly<Record<string, string>> = { avx512: 'AVX-512', avx2: 'AVX2', neon: 'NEON', portable: 'portable' };
const giga = (rate: number) =>
  rate >= 1e11 ? Math.round(rate / 1e9).toLocaleString('en-US') : (rate / 1e9).toPrecision(3);
const percent = (share: number | undefined | null) =>
  share === undefined || share === null ? '' : `${Math.round(100 * share)} %`;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

/** What the machine can do. */
function machine({ sets }: Roofline): string {
  const peaks = sets.flatMap(({ isa, peaks }) =>
    peaks.map(({ threads, flops, flopsPerCycle, gigahertz, share, divisions }) => [
      ISAS[isa] ?? isa,
      threads,
      giga(flops / 2),
      gigahertz.toFixed(2),
      flopsPerCycle.toFixed(1),
      percent(share),
      giga(divisions),
    ]),
  );
  const memory = sets[0]!.memory.map((level) => [
    levelName(level),
    level.threads,
    giga(level.read),
    giga(level.write),
    giga(level.rows512),
    giga(level.rows64),
  ]);
  return [
    table(
      [
        'instructions',
        'threads',
        'multiply-adds, 10⁹/s',
        'clock, GHz',
        'FLOP a cycle',
        "of the processor's rate",
        'divisions, 10⁹/s',
      ],
      peaks,
    ),
    table(
      ['memory', 'threads', 'read, GB/s', 'write, GB/s', 'rows of 512 bytes in no order, GB/s', 'of 64 bytes, GB/s'],
      memory,
    ),
  ].join('\n\n');
}

/** Parts of a wide step that belong together. */
const WIDE_PARTS: Readonly<Record<string, readonly string[]>> = {
  'products with weights': ['input projection', 'recurrent product', 'recurrent product backward', 'input gradients'],
  "weights' gradients": ['weight gradients'],
  gates: ['gates', 'gates backward'],
  'Adam, packing, words': ['packing and Adam of the weights', 'words: embedding and late Adam'],
  waiting: ['planning and meetings'],
};

/** Wide training steps: a line for each shape. */
function wide(rows: readonly Row[], peaks: readonly Peak[]): string {
  const lines = rows
    .filter(({ part }) => part === WHOLE)
    .map((whole) => {
      const { shape, threads, seconds, flops } = whole;
      const peak = peaks.find((peak) => peak.threads === threads)!;
      const parts = Object.values(WIDE_PARTS).map((names) => {
        const own = rows.filter((row) => row.shape === shape && row.threads === threads && names.includes(row.part));
        return percent(own.reduce((sum, row) => sum + row.seconds, 0) / seconds);
      });
      return [shape, percent(flops! / seconds / peak.flops), percent(shareOf(whole)), ...parts];
    });
  return table(['shape', 'of the multiply-adds', 'of the bound', ...Object.keys(WIDE_PARTS)], lines);
}

const unique = (values: readonly string[]) => [...new Set(values)];

/** Parts of one kernel by shape: a column for each shape. */
function byShape(rows: readonly Row[]): string {
  const shapes = unique(rows.map(({ shape }) => shape));
  const lines = unique(rows.map(({ part, threads }) => `${part}|${threads}`));
  const cells = lines.map((line) => {
    const [part, threads] = line.split('|') as [string, string];
    const name = part === WHOLE ? `**the whole step, ${threads === '1' ? '1 thread' : `${threads} threads`}**` : part;
    const of = (shape: string) =>
      rows.find((row) => row.shape === shape && row.part === part && `${row.threads}` === threads);
    const cell = (row: Row | undefined, whole: number) => {
      const share = row && shareOf(row);
      const time = row ? `${Math.round((100 * row.seconds) / whole)} %` : '';
      return part === WHOLE ? percent(share) : share === undefined ? `(${time})` : `${percent(share)} (${time})`;
    };
    const whole = (shape: string) =>
      rows.find((row) => row.shape === shape && row.part === WHOLE && row.threads === 1)!.seconds;
    return [name, ...shapes.map((shape) => cell(of(shape), whole(shape)))];
  });
  const wholes = cells.filter(([name]) => name!.startsWith('**'));
  return table(['part', ...shapes], [...cells.filter((line) => !wholes.includes(line)), ...wholes]);
}

/** All tables in Markdown. */
export function rooflineTables(result: Roofline): string {
  const steps = result.sets.flatMap(({ isa, rows }) => {
    const own = rows.filter((row) => row.kernel === 'training step' && (row.threads === 1 || row.part === WHOLE));
    return own.length === 0
      ? []
      : [
          `### Training steps, ${ISAS[isa] ?? isa}\n\nThe share of its bound that a part reaches, and in brackets its share of the step's time; parts on one thread.\n\n${byShape(own)}`,
        ];
  });
  const wides = result.sets.flatMap(({ isa, peaks, rows }) => {
    const own = rows.filter(({ kernel }) => kernel === 'wide training step');
    return own.length === 0
      ? []
      : [
          `### Wide training steps, ${ISAS[isa] ?? isa}, ${own[0]!.threads} threads\n\nThe share of the measured multiply-adds that a step reaches, that of its bound, and where one of the threads spends its time.\n\n${wide(own, peaks)}`,
        ];
  });
  const others = result.sets.flatMap(({ isa, rows }) =>
    rows
      .filter(({ kernel }) => !kernel.endsWith('training step'))
      .map((row) => [
        row.kernel,
        row.shape,
        row.part === WHOLE ? '' : row.part,
        ISAS[isa] ?? isa,
        row.threads,
        percent(shareOf(row)),
        row.limit,
      ]),
  );
  return [
    `### The machine\n\n${machine(result)}`,
    ...steps,
    ...wides,
    `### Other kernels\n\n${table(['kernel', 'shape', 'part', 'instructions', 'threads', 'share of the bound', 'bound by'], others)}`,
  ].join('\n\n');
}
