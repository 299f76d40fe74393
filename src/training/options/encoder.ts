import { constraint, invalidArgument } from '../../core/errors.js';
import { custom } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';
import type { StateEntry } from '../../engine/engine.js';
import type { NetworkOptions, NetworkSettings } from '../../engine/network.js';
import type { TokenizerLike } from '../../text/tokenizer.js';
import { Vocab } from '../../text/vocab.js';

/** A model whose vocabulary, vectors and recurrent layers another one can begin with; a {@link LanguageModel} is one. */
export interface PretrainedEncoder {
  /** What it has a vector for. */
  readonly vocab: Vocab;
  /** What its network looks like. */
  readonly settings: Readonly<NetworkSettings>;
  /** What gives its units; undefined where no tokenizer does. */
  readonly tokenizer: TokenizerLike | undefined;
  /** A copy of its vectors and recurrent layers, under PyTorch's names. */
  encoderState(): Promise<StateEntry[]>;
}

/** What a network begins with beside random weights. */
export interface EncoderOptions {
  /**
   * A {@link LanguageModel} to begin with. Words that it has a unit for begin with that unit's vector, the forward layers with its layers;
   * what it does not have, such as the backward direction, begins as without it. Its other words enter the vocabulary, see
   * `embeddingWords`. `cell`, `embeddingDim`, `hiddenSize` and `numLayers` are those of the encoder, and so is the `tokenizer`
   * unless one is given, if its units are characters or the pieces of a tokenizer. Not with `embeddings` or `unlabelled`. The encoder must stay open until the event
   * `start`. Default: none.
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
    flagHelp: 'file of a language model whose vocabulary, vectors and layers to begin with',
  }),
} as const satisfies TableOf<EncoderOptions>;

/** What the encoder says of the network. */
const SAME = ['cell', 'embeddingDim', 'hiddenSize', 'numLayers'] as const satisfies readonly (keyof NetworkOptions)[];

/**
 * Options with those of the network that an encoder, if there is one, has chosen.
 *
 * @throws ArgumentError for an option that does not go with the encoder.
 */
export function withEncoder<O extends EncoderOptions & NetworkOptions>(options: O): O {
  // What is not an object is refused with the other options.
  if (options?.encoder === undefined) return options;
  const { settings } = checkEncoder('encoder', options.encoder);
  for (const other of ['embeddings', 'unlabelled']) {
    if ((options as Record<string, unknown>)[other] !== undefined)
      throw constraint(
        'encoder',
        `encoder does not go with ${other}: words begin either with the vectors of the encoder or with others`,
      );
  }
  for (const name of SAME) {
    const given = options[name];
    if (given !== undefined && given !== settings[name])
      throw constraint(name, `${name} is ${given}, but the encoder has ${settings[name]}; leave ${name} out`);
  }
  const { cell, embeddingDim, hiddenSize, numLayers } = settings;
  return { ...options, cell, embeddingDim, hiddenSize, numLayers };
}
