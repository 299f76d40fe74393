import { entityReport } from 'recurra';
import { median } from '../compare/measure.js';
import type { TaggerBenchOptions } from './options.js';
import { type Fit, Process, SPEEDS, type Speed, type Tagger, type Work } from './programs.js';
import type { Parts, Sentence, TaggedSet } from './sets.js';

/** What one program did on one set. */
export interface Outcome {
  program: string;
  /** For each training, on the test part: entity F1 or accuracy, from 0 to 1. */
  scores: number[];
  /** The first training. */
  fit: Fit;
  /** Medians; null where the program has none. */
  speeds: Record<Speed, number | null>;
  versions: Record<string, string>;
}

/** The programs on one set. */
export interface SetOutcome {
  set: string;
  title: string;
  measure: 'entity F1' | 'accuracy';
  rows: number;
  outcomes: Outcome[];
}

/** What earlier runs measured, and where this one's figures are kept. */
export interface Kept {
  /** What a program did on this set; undefined if it has not been measured. */
  known: (tagger: Tagger) => Outcome | undefined;
  /** Told of the set after each program's trainings. */
  keep: (set: SetOutcome) => void;
}

/** Entity F1, else the share of right tags. */
function scoreOf(rows: readonly Sentence[], predicted: readonly (readonly string[])[], set: TaggedSet): number {
  const truth = rows.map(({ tags }) => tags);
  if (set.scheme !== null) return entityReport(truth, predicted).microAverage.f1;
  const pairs = truth.flatMap((tags, row) => tags.map((tag, at) => tag === predicted[row]![at]));
  return pairs.filter(Boolean).length / pairs.length;
}

/** A sentence of 20 tokens, from the first test sentences that have as many. */
export function twentyTokens(rows: readonly Sentence[]): string[] {
  const tokens = rows.flatMap(({ tokens }) => tokens);
  return rows.find((row) => row.tokens.length === 20)?.tokens ?? tokens.slice(0, 20);
}

/** Trains all programs on a set, then measures their speeds in turns. */
export async function measureSet(
  set: TaggedSet,
  parts: Parts,
  work: Omit<Work, 'seed'>,
  options: TaggerBenchOptions,
  python: string,
  say: (line: string) => void,
  { known, keep }: Kept,
): Promise<SetOutcome> {
  const { epochs, seconds, seeds, threads, turns, turnSeconds } = options;
  const processes = options.programs.map((tagger) => new Process(tagger, threads, python));
  try {
    const outcomes: Outcome[] = [];
    const measure = set.scheme === null ? 'accuracy' : 'entity F1';
    const all = (): SetOutcome => ({ set: set.name, title: set.title, measure, rows: parts.train.length, outcomes });
    const untrained: Process[] = [];
    for (const process of processes) {
      const { tagger } = process;
      const before = known(tagger);
      if (before) {
        outcomes.push(before);
        untrained.push(process);
        continue;
      }
      const versions = await process.hello();
      const scores: number[] = [];
      let first: Fit | undefined;
      for (const seed of tagger.other ? [0] : seeds) {
        await process.load({ ...work, seed });
        const fit = await process.fit({ epochs, seconds });
        first ??= fit;
        scores.push(scoreOf(parts.test, await process.predict('test'), set));
        const dev = Math.max(...fit.curve.map(([, score]) => score));
        say(
          `  ${tagger.title}, seed ${seed}: ${percent(scores.at(-1)!)} (dev ${percent(dev)}) after ${fit.seconds.toFixed(1)} s`,
        );
      }
      outcomes.push({
        program: tagger.name,
        scores,
        fit: first!,
        speeds: { train: null, one: null, many: null },
        versions,
      });
      keep(all());
    }
    if (turns === 0) return all();
    // Speeds need a model, however good.
    for (const process of untrained) {
      await process.load({ ...work, seed: 0 });
      await process.fit({ epochs: 1, seconds: 1 });
    }
    for (const what of SPEEDS) {
      const medians = await inTurns(processes, what, turns, turnSeconds);
      for (const outcome of outcomes) outcome.speeds[what] = medians.get(outcome.program) ?? null;
    }
    return all();
  } finally {
    for (const process of processes) process.close();
  }
}

/** All programs once, then all again, beginning with another one each time; the medians by program. */
async function inTurns(
  processes: readonly Process[],
  what: Speed,
  turns: number,
  seconds: number,
): Promise<Map<string, number>> {
  const values = new Map<Tagger, number[]>();
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < processes.length; i++) {
      const process = processes[(turn + i) % processes.length]!;
      const value = await process.measure(what, seconds);
      if (value !== null) values.set(process.tagger, [...(values.get(process.tagger) ?? []), value]);
    }
  }
  return new Map([...values].map(([{ name }, all]) => [name, median(all)]));
}

/** The first seconds at which a training was as good on the dev part; undefined if it never was. */
export function secondsTo({ curve }: Fit, score: number): number | undefined {
  return curve.find(([, reached]) => reached >= score)?.[0];
}

/** When a training was at its best on the dev part, and how good. */
export function bestOf({ curve }: Fit): { seconds: number; score: number } {
  const [seconds, score] = curve.reduce((best, point) => (point[1] > best[1] ? point : best));
  return { seconds, score };
}

/** A share as it stands in tables. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}
