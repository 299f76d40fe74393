import type { Command } from 'commander';
import type { Device } from '../core/device.js';
import { note } from '../core/terminal.js';
import { chooseDevice } from '../native/device.js';
import { COMPUTE } from '../training/options/train.js';
import { addFlags } from './flags.js';

/** Flag of the commands that compute. */
export interface DeviceFlag {
  device?: string;
}

/** Adds it. */
export function deviceFlag(command: Command): Command {
  return addFlags(command, { device: COMPUTE.device });
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
