import type { Level, Measured, MeasuredSet, Row, Work } from './types.js';

/** What a machine needs for some work, at least: the slowest of its units, all of them at their measured best. */
export function boundOf(
  work: Work,
  { peaks, memory }: Pick<MeasuredSet, 'peaks' | 'memory'>,
  threads: number,
): Pick<Row, 'bound' | 'limit'> {
  const peak = peaks.find((each) => each.threads === threads);
  const level = memory.find((each) => each.threads === threads && (each.size === null || work.set <= each.size));
  if (!peak || !level) throw new Error(`The rates of ${threads} threads were not measured`);
  const needs: [seconds: number, limit: string][] = [
    [work.flops / peak.flops, 'multiply-adds'],
    [work.divisions / peak.divisions, 'divisions'],
    [work.reads / level.read, `reading, ${level.level}`],
    [work.writes / level.write, `writing, ${level.level}`],
    [(work.rows ?? 0) / level.rows512, `rows in no order, ${level.level}`],
    [(work.lines ?? 0) / level.rows64, `lines in no order, ${level.level}`],
  ];
  const [bound, limit] = needs.reduce((most, need) => (need[0] > most[0] ? need : most));
  return { bound, limit };
}

/** The part that is a whole: its bound is the sum of those of the parts, which follow one another. */
export const WHOLE = 'all';

/** Measurements with their bounds. */
export function withBounds(set: MeasuredSet): Row[] {
  return set.kernels.map(({ work, ...measured }) => {
    if (work) return { ...measured, ...boundOf(work, set, measured.threads), flops: work.flops };
    const parts = set.kernels.filter((part) => isPart(part, measured));
    if (measured.part !== WHOLE || parts.length === 0) return { ...measured, bound: null, limit: '' };
    const sumOf = (of: (part: Measured) => number) => parts.reduce((sum, part) => sum + of(part), 0);
    const bound = sumOf((part) => boundOf(part.work!, set, measured.threads).bound!);
    return { ...measured, bound, limit: 'sum of the parts', flops: sumOf((part) => part.work!.flops) };
  });
}

function isPart(part: Measured, { kernel, shape, threads }: Omit<Measured, 'work'>): boolean {
  const same = part.kernel === kernel && part.shape === shape && part.threads === threads;
  return same && part.part !== WHOLE && part.work !== null;
}

/** How much of its bound a row reaches, from 0 to 1. */
export function shareOf({ bound, seconds }: Row): number | undefined {
  return bound === null ? undefined : bound / seconds;
}

/** The level's name with its size, of one thread. */
export function levelName({ level, size }: Level): string {
  if (size === null) return level;
  return size >= 2 ** 20 ? `${level} (${size / 2 ** 20} MiB)` : `${level} (${size / 2 ** 10} KiB)`;
}
