import type { light as lightNamespace } from '../../index.d.js';
import type { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { TextReader } from './reader.js';
import { Vocab } from './vocab.js';
import { type BuiltVocab, checkVocabOptions, VocabBuilder, type VocabOptions } from './vocabBuilder.js';

/** Counts the tokens of texts in the addon and builds a {@link Vocab} from them, off the event loop. */
export class TextCounter {
  readonly #native = new (light().VocabularyBuilder)();
  readonly #reader: TextReader;

  constructor(reader: TextReader) {
    this.#reader = reader;
  }

  /**
   * Counts the tokens of some texts. More than two concurrent calls are pointless: each waits for the one before.
   *
   * @returns the numbers of all tokens, from 1 in order of first appearance, 0 for a text without tokens; and the
   * number of tokens of each text.
   */
  read(texts: readonly string[]): Promise<lightNamespace.CountedTexts> {
    return this.#native.read(this.#reader.native, texts);
  }

  /** Makes the vocabulary, as {@link VocabBuilder.build} does. */
  async build(options: VocabOptions): Promise<BuiltVocab> {
    return builtVocab(await this.#native.build(nativeOptions(options)), options);
  }

  /** Frees the memory. */
  close(): void {
    this.#native.close();
  }
}

/** {@link VocabOptions} as the addon takes them. */
function nativeOptions(options: VocabOptions): lightNamespace.VocabularyOptions {
  const { minFreq, maxTokens, specials, specialFirst } = checkVocabOptions(options);
  return { minFreq, maxTokens, specials, specialFirst };
}

/** A vocabulary that the addon built. */
function builtVocab(built: lightNamespace.BuiltVocabulary, options: VocabOptions): BuiltVocab {
  const { specials, unkToken, padToken } = checkVocabOptions(options);
  const vocab = Vocab.fromNative(built.takeVocabulary()!, { specials, unkToken, padToken });
  return { vocab, indices: built.takeIndices() };
}

/**
 * The vocabulary of a subset of the texts that another one was built from.
 *
 * @param vocab - Vocabulary of all texts.
 * @param counts - How often each of its tokens occurs in the subset, `[vocab.size]`; missing tokens are dropped.
 * @returns the vocabulary, and for each token of `vocab` its index there, -1 for a dropped one.
 */
export async function recounted(
  vocab: Vocab,
  counts: Uint32Array,
  options: VocabOptions,
  turns: Turns,
): Promise<BuiltVocab> {
  if (vocab.native) return builtVocab(await vocab.native.recount(counts, nativeOptions(options)), options);
  const { specials } = checkVocabOptions(options);
  const builder = new VocabBuilder();
  const numbers = new Int32Array(counts.length).fill(-1);
  const { itos } = vocab;
  for (let id = 0; id < counts.length; id++) {
    const token = itos[id]!;
    if (counts[id]! > 0 || specials.includes(token)) numbers[id] = builder.size;
    if (numbers[id]! >= 0) builder.addToken(token, counts[id]!);
  }
  await turns.next();
  const built = await turns.run(builder.buildInSteps(options));
  return { vocab: built.vocab, indices: numbers.map((number) => (number < 0 ? -1 : built.indices[number]!)) };
}
