import { availableParallelism } from 'node:os';
import type { light as lightNamespace } from '../../index.d.js';
import { RecurraError } from '../core/errors.js';
import { throwIfAborted } from '../core/signals.js';
import { light } from '../native/light.js';
import type { EngineConfig, ExplainingEngine } from './engine.js';
import { CPU_CHUNK_TOKENS } from './kernels.js';
import { nativeChunk, nativeEncoder, nativeOptions } from './native.js';
import { type SequenceHead, tokenWork } from './network.js';
import type { TranslatingEngine } from './translating.js';

const WHAT = 'the search for sequences';

/** The configuration as the addon takes it. */
function nativeSequences(config: EngineConfig, head: SequenceHead): lightNamespace.Seq2SeqConfig {
  return {
    encoder: nativeEncoder(config),
    targetSize: head.outputs,
    targetEmbeddingDim: head.embeddingDim,
    decoderHidden: head.hiddenSize,
    decoderLayers: head.numLayers,
    attention: head.attention,
    startUnit: head.start,
    endUnit: head.end,
    seed: config.seed,
    threads: config.threads ?? availableParallelism(),
  };
}

/** The engine of a head of sequences, on the kernels. */
export function sequenceEngine(config: EngineConfig, head: SequenceHead): ExplainingEngine {
  const native = new (light().CpuSeq2Seq)(nativeSequences(config, head));
  const refused = () =>
    Promise.reject(new RecurraError('INTERNAL', 'a sequence-to-sequence model gives sequences, not scores'));
  const translating: TranslatingEngine = {
    async decode(tokens, lengths, maxLengths, settings, signal) {
      throwIfAborted(signal, WHAT);
      const stop = new (light().SearchStop)();
      const end = () => stop.stop();
      signal?.addEventListener('abort', end, { once: true });
      try {
        return await native.decode(tokens, lengths, { ...settings, maxLengths }, stop);
      } catch (error) {
        throwIfAborted(signal, WHAT);
        throw error;
      } finally {
        signal?.removeEventListener('abort', end);
      }
    },
    logProbabilities: (tokens, lengths, targets, starts) => native.score(tokens, lengths, targets, starts),
  };
  return {
    train: (chunk, options) => native.trainBatches(nativeChunk(chunk), nativeOptions(options)),
    distribute: (table) => native.distribute(table),
    scores: refused,
    rawScores: refused,
    explain: refused,
    setWordVectors: refused,
    chunkTokens: CPU_CHUNK_TOKENS,
    workPerToken: tokenWork(config),
    state: () => native.state(),
    loadState: (entries) => native.loadState(entries),
    loadHeld: ({ file, except }) => native.loadHeld(file, except),
    trainingState: (weights) => native.trainingState(weights),
    restore: (entries) => native.restore(entries),
    translating,
    close: () => native.close(),
  };
}
