import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { Device } from '../core/device.js';
import { note } from '../core/terminal.js';
import { chooseDevice } from '../native/device.js';
import { COMPUTE } from '../training/options/train.js';
import { addFlags } from './flags.js';

/** Flags of the commands that compute. */
export interface DeviceFlag {
  device?: string;
  threads?: number;
}

/** Adds it. */
export function deviceFlag(command: Command): Command {
  return addFlags(command, { device: COMPUTE.device });
}

/**
 * The device that the flag names; nothing without it. That `auto` is the CPU, and why, goes to standard error as one line; so
 * does that there are fewer threads than were asked for.
 *
 * @throws CudaError if a GPU is named and cannot be used.
 */
export function deviceOption({ device, threads = 0 }: DeviceFlag): { device?: Device } {
  const processors = availableParallelism();
  if (threads > processors)
    note(`recurra: ${threads} threads would wait for one another on ${processors} processors; ${processors} are used`);
  if (device === undefined) return {};
  return { device: chooseDevice(device, (reason) => note(`recurra: ${reason}`)) };
}
