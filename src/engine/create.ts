import type { Device } from '../core/device.js';
import type { Precision } from '../core/precision.js';
import type { EngineConfig, ExplainingEngine } from './engine.js';
import { kernelEngine } from './kernels.js';
import { torchEngine } from './torch.js';

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
