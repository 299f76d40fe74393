import { constraint, invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import type { SamplingSettings, WritingEngine, WrittenText } from '../engine/writing.js';
import { TOKENIZER_KEY } from '../models/description.js';
import { type LanguageFields, languageFile } from '../models/language/description.js';
import { generateText } from '../models/language/generate.js';
import { languageHead } from '../models/language/network.js';
import { type DrawOptions, type GeneratedText, generateSettings } from '../models/language/sampling.js';
import { NamedUnits } from '../text/units/named.js';
import { PieceUnits } from '../text/units/pieces.js';
import type { UnitCoder } from '../text/units/units.js';
import type { Vocab } from '../text/vocab.js';
import { bytePieces } from './bytePieces.js';
import type { Instance } from './instance.js';
import { giveArrays, networkNumbers } from './network.js';
import { describeOpened, type OpenedFile } from './opened.js';

/** Units that are read between two checks of the clock. */
const READ_TOGETHER = 64;

const NONE = new Int32Array(0);

/**
 * A language model in WebAssembly; {@link load} makes one from a model file of `recurra`. It writes what `LanguageModel` writes, on the
 * thread that asks.
 */
export class WebLanguageModel {
  /** What kind of model it is. */
  readonly kind = 'language';
  /** What the model reads and writes: `'characters'`, `'bytes'`, `'words'`, or `'pieces'` of words. */
  readonly units: LanguageFields['units'];
  readonly #coder: UnitCoder;
  #instance: Instance | undefined;
  /** Number of the next text. */
  #next = 0;

  /** @internal */
  constructor(instance: Instance, units: LanguageFields['units'], coder: UnitCoder) {
    this.units = units;
    this.#coder = coder;
    this.#instance = instance;
  }

  /**
   * Writes what may follow a prompt, piece by piece; a piece never ends within a character. The prompt is not given back. Units that
   * the model does not know are read as `<unk>`, and never written. The same seed gives the same text as in Node. There is no beam search.
   *
   * It computes on the thread that asks, for some milliseconds at a time: a page stays alive. Nothing is computed that
   * the caller has not asked for, but for one call of at most 32 units, and a loop that is left ends the text.
   *
   * @param prompt - Where the text begins; an empty one lets the model begin.
   * @throws {@link ArgumentError} at once, for an invalid option; `beamSize` of `LanguageModel` is one.
   * @throws {@link RecurraError} `DISPOSED` after the model was closed; the next piece rejects with `ABORTED` if the signal is aborted.
   *
   * @example
   * ```ts
   * for await (const piece of model.generate('ROMEO:', { temperature: 0.7, maxNewTokens: 200 })) output.append(piece);
   * ```
   */
  generate(prompt = '', options: DrawOptions = {}): AsyncGenerator<string, GeneratedText, undefined> {
    this.#open();
    if (typeof prompt !== 'string') throw invalidArgument('prompt', 'a string', prompt);
    const settings = generateSettings(options);
    if (settings.beamSize !== undefined)
      throw constraint('beamSize', 'recurra-web has no beam search; leave beamSize out, or search in Node');
    const engine: Pick<WritingEngine, 'writeText'> = { writeText: (sampling) => this.#writeText(sampling) };
    return generateText(engine, this.#coder, prompt, settings);
  }

  /** Frees the memory. What is being written, and what begins later, then ends with `DISPOSED`; closing again changes nothing. */
  close(): void {
    this.#instance = undefined;
  }

  #open(): Instance {
    const instance = this.#instance;
    if (!instance) throw new RecurraError('DISPOSED', 'this WebLanguageModel has been closed');
    return instance;
  }

  #writeText(sampling: SamplingSettings): WrittenText {
    const number = this.#next++;
    this.#open().beginText(number, sampling);
    const turns = new Turns();
    return {
      write: async (units, count) => {
        for (let from = 0; from < units.length; from += READ_TOGETHER) {
          this.#open().write(number, units.subarray(from, from + READ_TOGETHER), 0);
          if (turns.due) await turns.next();
        }
        if (turns.due) await turns.next();
        return this.#open().write(number, NONE, count);
      },
      close: () => this.#instance?.endText(number),
    };
  }
}

/**
 * What makes numbers of texts.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for pieces of a tokenizer that only Node has.
 */
function coderIn({ path, contents }: OpenedFile, units: LanguageFields['units'], vocab: Vocab): UnitCoder {
  if (units !== 'pieces') return new NamedUnits(units, vocab);
  const refused = (why: string) =>
    new ModelFileError(
      'INVALID_FILE',
      `${path} reads and writes the pieces of a tokenizer that recurra-web does not have: ${why}; it has characters, bytes, words, and the pieces that a training learned`,
    );
  const json = contents.metadata[TOKENIZER_KEY];
  if (json === undefined) throw refused('it is not in the file');
  const tokenizer = bytePieces(json);
  if (typeof tokenizer === 'string') throw refused(tokenizer);
  const steps = PieceUnits.vocabulary(tokenizer);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return new PieceUnits(tokenizer, value);
  }
}

/**
 * Checks what a file says of its language model; the result gives it to an instance.
 *
 * @throws {@link ModelFileError} `INVALID_FILE`, also from the result.
 */
export function languageModelIn(file: OpenedFile): (instance: Instance) => WebLanguageModel {
  const { settings, vocab, own, arrays } = describeOpened(file, languageFile);
  const { outputs, units } = own;
  if (outputs !== vocab.length)
    throw new ModelFileError('INVALID_FILE', `${file.path}: it has ${outputs} outputs for ${vocab.length} units`);
  const coder = coderIn(file, units, vocab);
  if (coder.vocab.length !== vocab.length)
    throw new ModelFileError(
      'INVALID_FILE',
      `${file.path}: its tokenizer has another number of pieces than its vocabulary`,
    );
  const head = languageHead(outputs, settings);
  const adaptive = head.kind === 'tags' && head.decoder === 'adaptive';
  // The decoder, by its place in `recurra_core::Decoder::ALL`.
  const beside = [adaptive ? 2 : 1, Number(settings.tieWeights)];
  const numbers = [...networkNumbers('language', settings, outputs, vocab), ...beside];
  return (instance) => {
    instance.begin(Uint32Array.from(numbers));
    giveArrays(instance, 0, arrays);
    instance.finish();
    return new WebLanguageModel(instance, units, coder);
  };
}
