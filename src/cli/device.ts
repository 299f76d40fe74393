import type { Command } from 'commander';
import { chooseDevice } from '../engine/create.js';
import type { Device } from '../torch/tensor/dtype.js';
import { note } from './output.js';

/** Flag of the commands that compute. */
export interface DeviceFlag {
  device?: string;
}

/** Adds it. */
export function deviceFlag(command: Command): Command {
  return command.option('--device <name>', 'where to compute: cpu, cuda, cuda:1, or auto (default: cpu)');
}

/**
 * The device that the flag names; nothing without it. That `auto` is the CPU, and why, goes to standard error as one line.
 *
 * @throws CudaError if a GPU is named and cannot be used.
 */
export function deviceOption({ device }: DeviceFlag): { device?: Device } {
  if (device === undefined) return {};
  return { device: chooseDevice(device, (reason) => note(`recurra: ${reason}`)) };
}
