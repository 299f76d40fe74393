import { checkDevice, checkDeviceOrAuto, type Device } from '../core/device.js';
import { CudaError } from '../core/errors.js';
import { openCuda } from './cuda.js';

/**
 * Resolves a device name: `cuda` is `cuda:0`. Opens CUDA when the first GPU is named.
 *
 * @throws `INVALID_DEVICE` if it is not the name of a device; {@link CudaError} if CUDA cannot be used.
 * @internal
 */
export function resolveDevice(name: string, value: unknown): Device {
  try {
    return opened(checkDevice(name, value));
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    throw new CudaError(error.code, `${error.message}; 'cpu' needs no GPU`, { cause: error });
  }
}

function opened(device: Device): Device {
  if (device === 'cpu') return device;
  openCuda();
  return device === 'cuda' ? 'cuda:0' : device;
}

/** Warns that `auto` fell back to the CPU. */
function warn(reason: string): void {
  process.emitWarning(reason, 'RecurraWarning');
}

/**
 * The device that an option names: `auto` is the first usable GPU, otherwise the CPU; undefined is the CPU.
 *
 * @param fallBack - Receives one line on why `auto` is the CPU.
 * @throws {@link CudaError} if a GPU is named and CUDA cannot be used; `INVALID_DEVICE` if it is not the name of a
 * device.
 *
 * @internal
 */
export function chooseDevice(value: unknown, fallBack: (reason: string) => void = warn): Device {
  if (value === undefined) return 'cpu';
  const device = checkDeviceOrAuto('device', value);
  if (device !== 'auto') return resolveDevice('device', device);
  try {
    return opened('cuda');
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    fallBack(`device 'auto' is the CPU: ${error.message}`);
    return 'cpu';
  }
}
