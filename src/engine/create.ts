import { CudaError, invalidArgument } from '../core/errors.js';
import type { Precision } from '../torch/amp/index.js';
import { resolveDevice } from '../torch/tensor/device.js';
import type { Device } from '../torch/tensor/dtype.js';
import { type EngineConfig, type ExplainingEngine, kernelEngine } from './engine.js';
import { torchEngine } from './torch.js';

/** Says why nothing is computed on a GPU. */
function warn(reason: string): void {
  process.emitWarning(reason, 'RecurraWarning');
}

/**
 * The device that an option names: `auto` is the first GPU if there is one that can be used, else the CPU.
 *
 * @param fallBack - Told, in one line, why `auto` is the CPU.
 * @throws {@link CudaError} if a GPU is named and CUDA cannot be used; `INVALID_DEVICE` if it is no name of a device.
 */
export function chooseDevice(value: unknown, fallBack: (reason: string) => void = warn): Device {
  if (value === undefined) return 'cpu';
  if (value !== 'auto') {
    if (typeof value !== 'string' || !/^(cpu|cuda(:\d{1,3})?)$/.test(value)) {
      throw invalidArgument('device', "'cpu', 'cuda', 'cuda:<number>' or 'auto'", value, 'INVALID_DEVICE');
    }
    return resolveDevice('device', value);
  }
  try {
    return resolveDevice('device', 'cuda');
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    fallBack(`device 'auto' is the CPU: ${error.message}`);
    return 'cpu';
  }
}

/** The engine for a device: the kernels on the CPU, libtorch on a GPU. It begins with the same weights wherever it is. */
export async function engineOn(
  device: Device,
  config: EngineConfig,
  precision: Precision = 'float32',
): Promise<ExplainingEngine> {
  const kernels = kernelEngine(config);
  if (device === 'cpu') return kernels;
  try {
    const engine = torchEngine(config, { device, mixed: precision === 'bfloat16' });
    await engine.loadState(await kernels.state());
    return engine;
  } finally {
    kernels.close();
  }
}
