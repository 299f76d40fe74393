import { writeFileSync } from 'node:fs';
import type { Environment } from './environment.js';
import { type Measurement, median } from './measure.js';
import type { CompareOptions } from './options.js';
import type { Row } from './types.js';

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Prints where the figures come from, and the rows as a table. */
export function printReport(where: Environment, rows: readonly Row[]): void {
  const { versions } = where;
  console.log(`\n${where.processor}, ${where.cores} cores, ${where.memoryGiB} GiB, ${where.machine}, ${where.date}`);
  console.log(
    `recurra ${versions.recurra}, Node.js ${versions.node}, PyTorch ${versions.torch} (${versions.capability}), Python ${versions.python}\n`,
  );
  console.table(
    rows.map(({ work, against, threads, ours, theirs, unit, ratio, shape }) => ({
      work,
      against,
      shape,
      threads,
      ours: rounded(ours),
      theirs: rounded(theirs),
      unit,
      ratio: rounded(ratio),
    })),
  );
  for (const work of new Set(rows.map((row) => row.work))) {
    const ratios = rows
      .filter((row) => row.work === work && row.work.startsWith('every shape'))
      .map((row) => row.ratio);
    if (ratios.length > 1) {
      console.log(
        `${work}: ${ratios.length} shapes, lowest ratio ${rounded(Math.min(...ratios))}, median ${rounded(median(ratios))}`,
      );
    }
  }
}

/** Writes the rows to a file, and everything else to `.details.json` next to it. */
export function writeReport(
  file: string,
  where: Environment,
  rows: readonly Row[],
  measurements: readonly Measurement[],
  { quick, repeats, timing, probe }: CompareOptions,
): void {
  const details = `${file.replace(/\.json$/, '')}.details.json`;
  writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
  writeFileSync(
    details,
    `${JSON.stringify({ environment: where, options: { quick, repeats, timing, probe }, measurements }, null, 2)}\n`,
  );
}
