import { zeros } from '../core/allocate.js';
import { ArgumentError, DataError, invalidArgument, RecurraError } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import type { LearnedVectors } from '../text/learned/learnedVectors.js';
import { learnVectors } from '../text/learned/learnVectors.js';
import type { Vocab } from '../text/vocab.js';
import { TextsHash } from './checkpoints/fingerprint.js';
import type { TrainingControl } from './events/control.js';
import { type FirstVectors, type FirstWords, roomFor, withMore } from './firstWords.js';
import type { CommonSettings } from './task.js';

type Unlabelled = NonNullable<CommonSettings['unlabelled']>;

/** The listener of learning word vectors. */
export type VectorWatcher = Pick<TrainingControl, 'prepare' | 'warn'>;

/**
 * The words of unlabelled texts, the most frequent first, and vectors learned from these texts and the training rows.
 * If no word is frequent enough, there are none, and a warning says so.
 */
export function wordsOfTexts(
  { texts, words = 0 }: Unlabelled,
  { model, seed, threads }: CommonSettings,
  signal: AbortSignal,
  watcher: VectorWatcher,
): FirstWords {
  let vectors: FirstVectors | undefined;
  const read = new TextsHash();
  return {
    given: 'texts',
    learns: true,
    async extend(vocab, text, ofRows) {
      let learned: LearnedVectors;
      let any = false;
      const counted = async function* () {
        for await (const unlabelled of unlabelledTexts(texts)) {
          any = true;
          read.add(unlabelled);
          yield unlabelled;
        }
        if (!any) watcher.warn('unlabelled', new DataError('EMPTY_DATASET', NO_TEXTS));
      };
      try {
        learned = await learnVectors(inTurn(ofRows, counted()), {
          dim: model.embeddingDim,
          tokenizer: text.tokenizer,
          seed,
          signal,
          ...(threads === undefined ? {} : { threads }),
          onProgress({ words, totalWords }) {
            watcher.prepare('vectors', totalWords === undefined ? 0 : Math.min(1, words / totalWords));
          },
        });
      } catch (error) {
        const reason = tooFew(error);
        if (!reason) throw error;
        watcher.warn('unlabelled', reason);
        return vocab;
      }
      const turns = new Turns(signal);
      const all = await turns.run(withMore(vocab, learned.words, roomFor(words, vocab, text)));
      vectors = await turns.run(ordered(learned, all));
      return all;
    },
    vectors: async () => vectors,
    hash: () => read.finish(),
  };
}

/** The hash of unlabelled texts, which a resumed training compares with that of the original ones. */
export async function hashOfTexts({ texts }: Unlabelled, signal: AbortSignal): Promise<string> {
  const turns = new Turns(signal);
  const hash = new TextsHash();
  for await (const text of unlabelledTexts(texts)) {
    hash.add(text);
    if (turns.due) await turns.next();
  }
  return hash.finish();
}

/** The warning about texts with too few words; undefined for an error that ends the training. */
function tooFew(error: unknown): RecurraError | undefined {
  if (!(error instanceof ArgumentError) || error.option !== 'minCount') return undefined;
  return new RecurraError(error.code, `no word vectors are learned: ${error.message}`, { cause: error });
}

const NO_TEXTS = 'unlabelled has no texts, so word vectors are learned only from the texts of the rows';

/** The texts of the training rows, then the unlabelled ones. */
async function* inTurn(ofRows: readonly string[], unlabelled: AsyncIterable<string>): AsyncGenerator<string, void> {
  yield* ofRows;
  yield* unlabelled;
}

async function* unlabelledTexts(unlabelled: Unlabelled['texts']): AsyncGenerator<string, void> {
  for await (const item of unlabelled as AsyncIterable<string | { text: string }>) {
    const text = typeof item === 'string' ? item : item?.text;
    if (typeof text !== 'string') throw invalidArgument('unlabelled', 'texts, or rows with a text,', item);
    yield text;
  }
}

/** The learned vectors, in the order of a vocabulary. Pauses often. */
function* ordered({ words, matrix, dim }: LearnedVectors, vocab: Vocab): Generator<void, FirstVectors, undefined> {
  const rows = zeros(vocab.size * dim, `${dim} for each of ${vocab.size} words`);
  const known = new Uint8Array(vocab.size);
  for (const [at, word] of words.entries()) {
    const index = vocab.stoi.get(word);
    if (index === undefined || index === vocab.padIndex) continue;
    rows.set(matrix.subarray(at * dim, (at + 1) * dim), index * dim);
    known[index] = 1;
    if (at % 1024 === 1023) yield;
  }
  return { matrix: rows, known, dim };
}
