import { availableParallelism } from 'node:os';
import type * as native from '../../index.d.js';
import type { Chunk, EngineConfig, StepOptions } from './engine.js';

/** What an engine is built from, as the bindings take it. */
export function nativeConfig(config: EngineConfig): native.NetworkConfig {
  return {
    encoder: {
      cell: config.cell,
      vocabSize: config.vocabSize,
      embeddingDim: config.embeddingDim,
      hiddenSize: config.hiddenSize,
      numLayers: config.numLayers,
      bidirectional: config.bidirectional,
      dropouts: { words: config.wordDropout, embedding: config.embeddingDropout, layers: config.dropout },
      ...(config.unknownIdx >= 0 && { unknownIdx: config.unknownIdx }),
      ...(config.paddingIdx >= 0 && { paddingIdx: config.paddingIdx }),
      ...(config.embeddingStd !== undefined && { embeddingStd: config.embeddingStd }),
    },
    head: { kind: 'classes', outputs: config.numClasses, multiLabel: config.multiLabel, pooling: config.pooling },
    seed: config.seed,
    threads: config.threads ?? availableParallelism(),
  };
}

/** A chunk as the bindings take it. */
export function nativeChunk({ labels, labelOffsets, ...others }: Chunk): native.Chunk {
  return { ...others, targets: labels, ...(labelOffsets && { targetStarts: labelOffsets }) };
}

/** Options as the bindings take them. */
export function nativeOptions({ classWeights, labelSmoothing, ...others }: StepOptions): native.StepOptions {
  return { ...others, outputWeights: [...classWeights], smoothing: labelSmoothing };
}
