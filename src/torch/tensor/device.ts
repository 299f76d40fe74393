import { openCuda } from '../../native/cuda.js';
import { checkDevice, type Device } from './dtype.js';

/**
 * The device of a name, with its number: `cuda` is `cuda:0`. At the first GPU that is named CUDA is opened.
 *
 * @throws `INVALID_DEVICE` if it is no name of a device; `CudaError` if CUDA cannot be used.
 *
 * @internal
 */
export function resolveDevice(name: string, value: unknown): Device {
  const device = checkDevice(name, value);
  if (device === 'cpu') return device;
  openCuda();
  return device === 'cuda' ? 'cuda:0' : device;
}
