import type { Device } from '../core/device.js';
import { constraint } from '../core/errors.js';
import { torch } from '../native/torch.js';
import type { EngineConfig, ExplainingEngine } from './engine.js';
import { CPU_CHUNK_TOKENS, kernelEngine } from './kernels.js';
import { nativeChunk, nativeConfig, nativeOptions } from './native.js';
import { recurrentWeights } from './network.js';

/** Tokens of a chunk on a GPU, which is synchronised only at its end. */
const GPU_CHUNK_TOKENS = 262_144;

/** Device and precision of {@link torchEngine}. */
export interface TorchEngineOptions {
  device?: Device;
  /** Trains in bfloat16 where PyTorch's autocast does; the weights stay float32. */
  mixed?: boolean;
}

/**
 * The engine on libtorch's operators and autograd, for GPUs; on the CPU it is the reference for the kernels. Single
 * texts and files are left to the kernels, with a copy of the weights.
 */
export function torchEngine(config: EngineConfig, options: TorchEngineOptions = {}): ExplainingEngine {
  const { device = 'cpu', mixed = false } = options;
  if (config.head.kind !== 'classes') {
    const what = config.head.kind === 'tags' ? 'taggers' : 'models of pairs';
    const message = `${what} run on the CPU kernels, not on libtorch: use device 'auto' or 'cpu' instead of '${device}'`;
    throw constraint('device', message);
  }
  if (config.subwords) {
    const message = `networks with subwords run on the CPU kernels, not on libtorch: use device 'cpu' instead of '${device}'`;
    throw constraint('device', message);
  }
  const binding = torch();
  if (config.threads !== undefined) binding.setNumThreads(config.threads);
  const native = new binding.TorchNetwork(nativeConfig(config), device, mixed);
  let onCpu: ExplainingEngine | undefined;
  // Number of weight changes, and the number at which the kernels' copy was made.
  let [version, copiedAt] = [0, -1];
  const twin = () => {
    onCpu ??= kernelEngine(config);
    return onCpu;
  };
  const copied = async () => {
    // Weights may change while they are copied; the copy is then outdated.
    const now = version;
    if (copiedAt !== now) {
      await twin().loadState(await native.state());
      copiedAt = now;
    }
    return twin();
  };
  const changed = () => {
    version++;
  };
  return {
    chunkTokens: device === 'cpu' ? CPU_CHUNK_TOKENS : GPU_CHUNK_TOKENS,
    workPerToken: recurrentWeights(config),
    train: (chunk, options) => {
      changed();
      return native.trainBatches(nativeChunk(chunk), nativeOptions(options));
    },
    scores: (tokens, lengths) => native.scores(tokens, lengths),
    setWordVectors: (words, vectors) => {
      changed();
      return native.setWordVectors(words, vectors);
    },
    state: () => native.state(),
    loadState: (entries) => {
      changed();
      return native.loadState(entries);
    },
    loadHeld: async (weights) => {
      changed();
      const now = version;
      await twin().loadHeld(weights);
      await native.loadState(await twin().state());
      copiedAt = now;
    },
    trainingState: (weights) => native.trainingState(weights),
    restore: async (entries) => {
      changed();
      const now = version;
      await twin().restore(entries);
      // Bring deferred rows of the embedding up to date: here all rows move at every step.
      await twin().state();
      await native.restore(await twin().trainingState(false));
      copiedAt = now;
    },
    rawScores: async (tokens, lengths) => (await copied()).rawScores(tokens, lengths),
    explain: async (tokens, output) => (await copied()).explain(tokens, output),
    close: () => {
      native.close();
      onCpu?.close();
    },
  };
}
