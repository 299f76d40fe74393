import type { Device } from '../core/device.js';
import { constraint } from '../core/errors.js';
import type { Precision } from '../core/precision.js';
import type { EngineConfig, ExplainingEngine } from './engine.js';
import { ensemble, memberSeeds } from './ensemble.js';
import { kernelEngine } from './kernels.js';
import { sequenceEngine } from './sequences.js';
import { torchEngine } from './torch.js';

/**
 * The engine for a device: the kernels on the CPU, libtorch on a GPU. The initial weights are the same on every device.
 *
 * @param config - With several `members`, an {@link ensemble} of that many networks.
 */
export async function engineOn(
  device: Device,
  config: EngineConfig,
  precision: Precision = 'float32',
): Promise<ExplainingEngine> {
  if (config.head.kind === 'tags' && (config.members ?? 1) > 1)
    throw constraint(
      'members',
      'a tagger must be a single network, since tag sequences cannot be averaged; use members: 1',
    );
  const members: ExplainingEngine[] = [];
  try {
    for (const seed of memberSeeds(config.seed, config.members ?? 1))
      members.push(await networkOn(device, { ...config, seed }, precision));
  } catch (error) {
    for (const member of members) member.close();
    throw error;
  }
  const [first, ...others] = members;
  return others.length === 0 ? first! : ensemble([first!, ...others]);
}

/** One network on a device. */
async function networkOn(device: Device, config: EngineConfig, precision: Precision): Promise<ExplainingEngine> {
  if (config.head.kind === 'sequence') return sequenceEngine(config, config.head);
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
