// Training comes last: until then both sides have the same weights.
export const WORKS = ['one', 'many', 'train'] as const;
export type Work = (typeof WORKS)[number];

/** How each work is called in the table. */
export const TITLES: Readonly<Record<Work, [title: string, unit: string]>> = {
  train: ['training', 'pairs/s'],
  one: ['greedy decoding of one word of 8 letters', 'us'],
  many: ['greedy decoding of 512 words', 'words/s'],
};

/** Medians of one work on one shape. */
export interface Row {
  work: Work;
  shape: string;
  ours: number;
  theirs: number;
  /** PyTorch's best setting. */
  setting: string;
  /** How many times as fast recurra is. */
  ratio: number;
}

/** A file of results. */
export interface Measured {
  processor: string;
  cores: number;
  /** Of each side. */
  threads: number;
  date: string;
  /** Whether other programs ran when it began. */
  busy: boolean;
  versions: Record<string, string>;
  rows: Row[];
}

/** The figures as a table in Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const number = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    "| work | shape | recurra | PyTorch | unit | ratio | PyTorch's best setting |",
    '|---|---|---|---|---|---|---|',
    ...rows.map(({ work, shape, ours, theirs, setting, ratio }) => {
      const [title, unit] = TITLES[work];
      const cells = [title, shape, number(ours), number(theirs), unit, `${ratio.toPrecision(3)}x`, setting];
      return `| ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}
