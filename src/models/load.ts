import type { Device } from '../core/device.js';
import { constraint, invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { choice, custom } from '../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../core/options/table.js';
import { RECURRENT_WEIGHTS, type RecurrentWeights } from '../core/precision.js';
import { engineOn } from '../engine/create.js';
import type { ExplainingEngine, HeldWeights } from '../engine/engine.js';
import { type Cell, deviceFor, type HeadConfig, type NetworkSettings } from '../engine/network.js';
import { noEngine } from '../engine/none.js';
import { type BatchTokenizer, isBatchTokenizer, type Tokenizer } from '../text/tokenizer.js';
import { COMPUTE } from '../training/options/train.js';
import type { FileKind } from './description.js';
import { type CommonDescription, type ModelSource, readModel, sourceName } from './file.js';
import type { TextModelParts } from './model.js';

/** Options of {@link TextClassifier.load}. */
export interface LoadOptions {
  /**
   * The function or {@link BatchTokenizer} that the model was trained with; only for models whose file does not contain
   * it.
   */
  tokenizer?: Tokenizer | BatchTokenizer;
  /** Threads for numeric work. Default: the number of processors. */
  threads?: number;
  /** Where to compute, as {@link TrainOptions.device}. Default `'cpu'`. */
  device?: Device | 'auto';
  /**
   * `'int8'` makes predictions faster on the CPU, two to three times with 128 or more units and AVX-512 VNNI: they
   * multiply recurrent weights and states rounded to 8 bits. Scores change slightly. Only for the cells `lstm`, `gru` and `rnn`. Training, explanations and
   * the file are unchanged. Default `'float32'`.
   */
  recurrentWeights?: RecurrentWeights;
}

const TOKENIZER = 'a function from text to tokens or a BatchTokenizer';

/** The table of {@link LoadOptions}. */
export const LOAD = {
  tokenizer: option(
    custom<Tokenizer | BatchTokenizer>(TOKENIZER, (name, value) => {
      if (typeof value !== 'function' && !isBatchTokenizer(value)) throw invalidArgument(name, TOKENIZER, value);
      return value as Tokenizer | BatchTokenizer;
    }),
    {
      help: 'the tokenizer function that the model was trained with, if its file has none',
    },
  ),
  ...COMPUTE,
  recurrentWeights: option(choice(RECURRENT_WEIGHTS), {
    default: 'float32',
    flag: '<kind>',
    help: '`int8` multiplies recurrent weights in 8 bits: faster predictions on the CPU, slightly different scores',
  }),
} as const satisfies TableOf<LoadOptions>;

/**
 * Loads a model of a kind: reads the file, builds the network and gives it its weights.
 *
 * @param where - Name of the call, for messages.
 * @param head - The network's head, from the file's description.
 * @param extra - Takes the parts other than the network out of the file.
 * @param first - Computes a first prediction of one token.
 * @throws {@link ModelFileError} if the file is missing, damaged, not a model, or of another kind.
 * @throws ArgumentError for an invalid option; CudaError if the named GPU cannot be used.
 */
export async function loadModel<N extends NetworkSettings, D extends object, B extends object>(
  where: string,
  source: ModelSource,
  options: LoadOptions,
  kind: FileKind<N, D>,
  head: (own: D & Pick<TextModelParts<N>, 'settings'>) => HeadConfig,
  extra: (weights: HeldWeights, own: D & Pick<TextModelParts<N>, 'settings'>, threads?: number) => Promise<B>,
  first: (engine: ExplainingEngine, own: CommonDescription<N> & D & B) => Promise<unknown> = (engine) =>
    engine.scores(Int32Array.of(0), Int32Array.of(1)),
): Promise<TextModelParts<N> & D & B> {
  checkNames(where, options, LOAD);
  const { tokenizer: given, threads, device, recurrentWeights } = settingsOf(LOAD, options);
  const path = sourceName(source);
  const { weights, ...described } = await readModel(source, kind);
  const { settings, text, vocab } = described;
  const tokenizer = text.tokenizer ?? given;
  if (tokenizer === undefined) {
    throw constraint(
      'tokenizer',
      `${path} was trained with a custom tokenizer function, which a file cannot store; pass the same function as { tokenizer }`,
    );
  }
  if (text.tokenizer !== null && given !== undefined) {
    throw constraint('tokenizer', `${path} already contains its tokenizer; remove the tokenizer option`);
  }
  if (recurrentWeights === 'int8') checkInt8(settings, options.device === undefined ? 'cpu' : device);
  const config = {
    ...settings,
    head: head(described as CommonAnd<N, D>),
    vocabSize: vocab.length,
    paddingIdx: vocab.padIndex ?? -1,
    unknownIdx: vocab.defaultIndex ?? -1,
    seed: 0,
    members: kind.members?.(described as CommonAnd<N, D>) ?? 1,
    threads,
    recurrentWeights,
  };
  const network = kind.hasNetwork?.(described as CommonAnd<N, D>) !== false;
  const engine = network
    ? await engineOn(deviceFor(options.device, device, settings.cell, config.head.kind), config)
    : noEngine(config);
  let more: B;
  try {
    more = await extra(weights, described as CommonAnd<N, D>, threads);
    await engine.loadHeld(weights);
    // The first prediction packs the weights; doing it here delays no caller.
    await first(engine, { ...described, ...more } as CommonDescription<N> & D & B);
  } catch (error) {
    engine.close();
    if (error instanceof RecurraError)
      throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
  return { ...(described as CommonAnd<N, D>), ...more, engine, recurrentWeights, text: { ...text, tokenizer } };
}

/** Cells with recurrent weights whose states are between -1 and 1. */
const BOUNDED: readonly Cell[] = ['lstm', 'gru', 'rnn'];

/** Refuses recurrent weights in 8 bits for a cell or a device that has none. */
function checkInt8({ cell }: NetworkSettings, device: Device): void {
  if (!BOUNDED.includes(cell)) {
    const cells = BOUNDED.join(', ');
    throw constraint(
      'recurrentWeights',
      `'int8' needs a model with one of the cells ${cells}, but this one has ${cell}`,
    );
  }
  if (device !== 'cpu')
    throw constraint('recurrentWeights', `'int8' is only for the CPU; remove device '${device}' or recurrentWeights`);
}

type CommonAnd<N extends NetworkSettings, D> = D & Pick<TextModelParts<N>, 'settings' | 'vocab'>;
