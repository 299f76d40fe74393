import { bestOf, type Outcome, percent, type SetOutcome, secondsTo } from './measure.js';
import { TAGGERS } from './programs.js';

/** A file of results. */
export interface Measured {
  processor: string;
  cores: number;
  /** Of each program. */
  threads: number;
  /** Seconds after which the trainings of the others ended, at most. */
  limit: number;
  date: string;
  /** Whether other programs ran when it began. */
  busy: boolean;
  /** Of all programs. */
  versions: Record<string, string>;
  outcomes: SetOutcome[];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value: number | null) => (value === null ? '' : Math.round(value).toLocaleString('en-US'));
const titleOf = (program: string) => TAGGERS.find(({ name }) => name === program)!.title;

/** How good a program is: the mean of its seeds, and half the distance of the best and the worst. */
function score({ scores }: Outcome): string {
  const spread = (Math.max(...scores) - Math.min(...scores)) / 2;
  return scores.length === 1 ? percent(mean(scores)) : `${percent(mean(scores))} ± ${percent(spread)}`;
}

/** How many times as fast recurra is as another program, in each respect. */
function ratios(ours: Outcome, other: Outcome): string {
  const best = bestOf(other.fit);
  const reached = secondsTo(ours.fit, best.score);
  const times = (value: number | null) => (value === null ? '' : `${value.toPrecision(2)}x`);
  const { speeds } = ours;
  const rate = (what: 'train' | 'many') =>
    other.speeds[what] === null ? null : (speeds[what] ?? 0) / other.speeds[what]!;
  return [
    `| ${titleOf(other.program)}`,
    reached === undefined
      ? `not reached: ${percent(best.score)} on dev`
      : `${times(best.seconds / reached)} (${reached.toFixed(1)} s and ${best.seconds.toFixed(1)} s to ${percent(best.score)} on dev)`,
    times(rate('train')),
    times(other.speeds.one === null || speeds.one === null ? null : other.speeds.one / speeds.one),
    `${times(rate('many'))} |`,
  ].join(' | ');
}

/** The figures of a set as tables in Markdown. */
export function tablesOf({ title, measure, rows, outcomes }: SetOutcome): string {
  const lines = [
    `### ${title}: ${rounded(rows)} sentences`,
    '',
    `| program | test, ${measure}, % | seconds of training | sentences/s in training, 32 a batch | one sentence of 20 tokens, us | words/s |`,
    '|---|---|---|---|---|---|',
    ...outcomes.map((outcome) => {
      const { train, one, many } = outcome.speeds;
      const cells = [titleOf(outcome.program), score(outcome), outcome.fit.seconds.toFixed(1)];
      return `| ${[...cells, rounded(train), rounded(one), rounded(many)].join(' | ')} |`;
    }),
  ];
  const ours = outcomes.find(({ program }) => program === 'recurra');
  const others = outcomes.filter(({ program }) => program !== 'recurra');
  if (ours === undefined || others.length === 0) return lines.join('\n');
  return [
    ...lines,
    '',
    "| recurra compared with | time to the other's best dev score | training | one sentence | words/s |",
    '|---|---|---|---|---|',
    ...others.map((other) => ratios(ours, other)),
  ].join('\n');
}
