import { constraint, invalidArgument } from '../../core/errors.js';
import { custom } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import type { StateEntry } from '../../engine/engine.js';
import type { NetworkOptions, NetworkSettings } from '../../engine/network.js';
import type { TokenizerLike } from '../../text/tokenizer.js';
import { Vocab } from '../../text/vocab.js';

/**
 * A model whose vocabulary, vectors and recurrent layers can initialise another one, such as a {@link LanguageModel}.
 */
export interface PretrainedEncoder {
  /** Its vocabulary. */
  readonly vocab: Vocab;
  /** The shape of its network. */
  readonly settings: Readonly<NetworkSettings>;
  /** The tokenizer of its units; undefined if there is none. */
  readonly tokenizer: TokenizerLike | undefined;
  /** A copy of its vectors and recurrent layers, under PyTorch's names. */
  encoderState(): Promise<StateEntry[]>;
}

/** Options of pretrained layers. */
export interface EncoderOptions {
  /**
   * A {@link LanguageModel} to start from. Words with a unit start with that unit's vector, and the forward layers with
   * its layers; parts that it does not have, such as the backward direction, are random. Its other words are added to
   * the vocabulary, see `embeddingWords`. `cell`, `embeddingDim`, `hiddenSize` and `numLayers` are those of the
   * encoder, and so is the `tokenizer` unless one is given, if its units are characters or the pieces of a tokenizer.
   * Not with `embeddings` or `unlabelled`. The encoder must stay open until the event `start`. Default: none.
   */
  encoder?: PretrainedEncoder;
}

const EXPECTED = 'a LanguageModel';

function checkEncoder(name: string, value: unknown): PretrainedEncoder {
  const given = value as Partial<PretrainedEncoder> | null;
  if (typeof given === 'object' && given?.vocab instanceof Vocab && typeof given.encoderState === 'function')
    return given as PretrainedEncoder;
  throw invalidArgument(name, EXPECTED, value);
}

/** The table of {@link EncoderOptions}. */
export const ENCODER = {
  encoder: option(custom<PretrainedEncoder>(EXPECTED, checkEncoder), {
    defaultText: 'none',
    flag: '<model>',
    help: 'a language model whose vocabulary, vectors and layers to begin with',
    flagHelp: 'file of a language model whose vocabulary, vectors and layers to start from',
  }),
} as const satisfies TableOf<EncoderOptions>;

/** Network options set by the encoder. */
const SAME = ['cell', 'embeddingDim', 'hiddenSize', 'numLayers'] as const satisfies readonly (keyof NetworkOptions)[];

/**
 * Options completed by an encoder's network options, if there is an encoder.
 *
 * @throws ArgumentError for an option that conflicts with the encoder.
 */
export function withEncoder<O extends EncoderOptions & NetworkOptions>(options: O): O {
  // A value that is not an object is refused with the other options.
  if (options?.encoder === undefined) return options;
  const { settings } = checkEncoder('encoder', options.encoder);
  for (const other of ['embeddings', 'unlabelled']) {
    if ((options as Record<string, unknown>)[other] !== undefined)
      throw constraint(
        'encoder',
        `encoder cannot be combined with ${other}: words start either with the encoder's vectors or with others`,
      );
  }
  for (const name of SAME) {
    const given = options[name];
    if (given !== undefined && given !== settings[name])
      throw constraint(name, `${name} is ${given}, but the encoder has ${settings[name]}; remove ${name}`);
  }
  const { cell, embeddingDim, hiddenSize, numLayers } = settings;
  return { ...options, cell, embeddingDim, hiddenSize, numLayers };
}
