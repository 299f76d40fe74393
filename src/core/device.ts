import { invalidArgument } from './errors.js';

/** Where a tensor lives: `cpu`, `cuda` (the current CUDA device) or `cuda:<number>`. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`;

/** Whether a value is the name of a device. Only libtorch knows whether the device exists. */
function isDevice(value: unknown): value is Device {
  return typeof value === 'string' && /^(cpu|cuda(:\d{1,3})?)$/.test(value);
}

/**
 * Throws unless `value` is the name of a device.
 *
 * @throws {@link ArgumentError} `INVALID_DEVICE`.
 *
 * @internal
 */
export function checkDevice(name: string, value: unknown): Device {
  if (!isDevice(value)) throw invalidArgument(name, "'cpu', 'cuda' or 'cuda:<number>'", value, 'INVALID_DEVICE');
  return value;
}

/**
 * Throws unless `value` is the name of a device, or `auto`.
 *
 * @throws {@link ArgumentError} `INVALID_DEVICE`.
 *
 * @internal
 */
export function checkDeviceOrAuto(name: string, value: unknown): Device | 'auto' {
  if (value !== 'auto' && !isDevice(value))
    throw invalidArgument(name, "'cpu', 'cuda', 'cuda:<number>' or 'auto'", value, 'INVALID_DEVICE');
  return value;
}
