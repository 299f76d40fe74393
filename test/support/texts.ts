import { type LabelledText, Random } from '../../src/index.js';

const WORDS: Record<string, string[]> = {
  animal: ['cat', 'dog', 'horse', 'fur', 'tail', 'paw', 'bird', 'wing'],
  food: ['bread', 'soup', 'cheese', 'salt', 'oven', 'sweet', 'dish', 'sauce'],
  tool: ['hammer', 'saw', 'nail', 'drill', 'steel', 'blade', 'handle', 'screw'],
};
const FILLERS = ['a', 'the', 'with', 'of', 'and', 'small', 'old', 'for'];

/** Made-up texts of three topics that anyone can tell apart: each has one to three words of its topic among fillers. */
export function topicTexts(rows: number, seed = 1): LabelledText[] {
  const random = new Random(seed);
  const topics = Object.keys(WORDS);
  const pick = (words: readonly string[]) => words[random.int(words.length)]!;
  return Array.from({ length: rows }, (_, row) => {
    const label = topics[row % topics.length]!;
    const words = Array.from({ length: 1 + random.int(3) }, () => pick(WORDS[label]!));
    for (let fillers = random.int(8); fillers > 0; fillers--) words.push(pick(FILLERS));
    return { label, text: random.shuffle(words).join(' ') };
  });
}

/** Made-up texts of which only the order of two words tells the label: `alpha` before `omega`, or behind it. N-grams are useless. */
export function orderTexts(rows: number, seed = 1): LabelledText[] {
  const random = new Random(seed);
  return Array.from({ length: rows }, (_, row) => {
    const words = Array.from({ length: 6 + random.int(6) }, () => FILLERS[random.int(FILLERS.length)]!);
    const first = random.int(words.length - 2);
    const second = first + 2 + random.int(words.length - first - 2);
    const label = row % 2 === 0 ? 'before' : 'behind';
    [words[first], words[second]] = label === 'before' ? ['alpha', 'omega'] : ['omega', 'alpha'];
    return { label, text: words.join(' ') };
  });
}

/** The rows as a CSV file with the columns `body` and `topic`. */
export function topicCsv(rows: readonly LabelledText[]): string {
  return `topic,body\n${rows.map(({ label, text }) => `${label},"${text}"\n`).join('')}`;
}

/** Options of a network that is trained in a moment. */
export const SMALL = {
  linear: false,
  embeddingDim: 6,
  hiddenSize: 5,
  batchSize: 16,
  epochs: 1,
  lr: 1e-2,
  seed: 3,
  threads: 1,
} as const;
