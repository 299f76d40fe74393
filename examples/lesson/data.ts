import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect, type EncodedDataset, encodeDataset, type LabelledText, type Vocab } from 'recurra';
import { loadDataset } from 'recurra/lesson';

/** AG News as numbers. */
export interface LessonData {
  /** The rows to learn from. */
  train: EncodedDataset;
  /** All rows to be measured on. */
  test: EncodedDataset;
  /** The vocabulary of the rows to learn from. */
  vocab: Vocab;
}

/** Reads AG News, builds the vocabulary over the first `rows` training rows (default all), and encodes these and the test rows. */
export async function loadLessonData(root: string, rows = Number.POSITIVE_INFINITY): Promise<LessonData> {
  const { train, test, classes } = await loadDataset({ root });
  const { dataset, vocab } = await collect(first(train, rows), { classes, tokenizer: 'basic_english' });
  return { train: dataset, test: await encodeDataset(test, { vocab, classes, tokenizer: 'basic_english' }), vocab };
}

/**
 * Default place of AG News: `ag_news` in the folder that `RECURRA_DATA` names, in `shared/data` next to the checkout,
 * or in `data` inside it.
 */
export function defaultRoot(): string {
  const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const given = process.env.RECURRA_DATA;
  const places = [given, join(checkout, '..', 'shared', 'data')].filter((place) => place !== undefined);
  const found = places.map((place) => join(place, 'ag_news')).find((place) => existsSync(place));
  return found ?? join('data', 'ag_news');
}

async function* first(rows: AsyncIterable<LabelledText>, count: number): AsyncGenerator<LabelledText> {
  let given = 0;
  for await (const row of rows) {
    if (given++ === count) return;
    yield row;
  }
}
