import { availableParallelism } from 'node:os';
import type * as native from '../../index.d.js';
import { RecurraError } from '../core/errors.js';
import type { Chunk, EngineConfig, StepOptions } from './engine.js';

// The one place that converts the engine's types into those of the addons.

/** The encoder, as the addons take it. */
export function nativeEncoder(config: EngineConfig): native.EncoderConfig {
  return {
    cell: config.cell,
    vocabSize: config.vocabSize,
    embeddingDim: config.embeddingDim,
    ...(config.subwords && { subwords: config.subwords }),
    hiddenSize: config.hiddenSize,
    numLayers: config.numLayers,
    bidirectional: config.bidirectional,
    dropouts: {
      words: config.wordDropout,
      embedding: config.embeddingDropout,
      features: config.subwords?.dropout ?? 0,
      layers: config.dropout,
      ...(config.outputDropout !== undefined && { outputs: config.outputDropout }),
      ...(config.recurrentDropout !== undefined && { recurrent: config.recurrentDropout }),
    },
    ...(config.tieWeights !== undefined && { tied: config.tieWeights }),
    ...(config.unknownIdx >= 0 && { unknownIdx: config.unknownIdx }),
    ...(config.paddingIdx >= 0 && { paddingIdx: config.paddingIdx }),
    ...(config.embeddingStd !== undefined && { embeddingStd: config.embeddingStd }),
  };
}

/** The configuration of an engine, as the addons take it. */
export function nativeConfig(config: EngineConfig): native.NetworkConfig {
  const { head } = config;
  if (head.kind === 'sequence') throw new RecurraError('INTERNAL', 'a head of sequences has a separate engine');
  return {
    encoder: nativeEncoder(config),
    head,
    seed: config.seed,
    threads: config.threads ?? availableParallelism(),
  };
}

/** A chunk as the addons take it; its forms are a separate argument. */
export function nativeChunk({ targetStarts, forms: _, ...others }: Chunk): native.Chunk {
  return targetStarts ? { ...others, targetStarts } : others;
}

/** Options as the addons take them. */
export function nativeOptions({ loss, initial, sampling, ...others }: StepOptions): native.StepOptions {
  return {
    ...others,
    ...(initial && { initial }),
    ...(sampling && { sampling }),
    outputWeights: [...loss.weights],
    smoothing: loss.smoothing,
  };
}
