import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { Device } from '../core/device.js';
import type { RecurrentWeights } from '../core/precision.js';
import { note } from '../core/terminal.js';
import { LOAD } from '../models/load.js';
import { chooseDevice } from '../native/device.js';
import { COMPUTE } from '../training/options/train.js';
import { addFlags, givenOptions } from './flags.js';

/** Flags of the commands that compute. */
export interface DeviceFlag {
  device?: string;
  threads?: number;
}

/** Flags of the commands that predict. */
export interface LoadFlags extends DeviceFlag {
  recurrentWeights?: RecurrentWeights;
}

/** The table of {@link LoadFlags} without threads. */
export const LOADING = { device: COMPUTE.device, recurrentWeights: LOAD.recurrentWeights } as const;

/**
 * How to load the model of a command that predicts.
 *
 * @throws CudaError as {@link deviceOption}.
 */
export function loadOptions(flags: LoadFlags): { device?: Device; recurrentWeights?: RecurrentWeights } {
  const { recurrentWeights } = givenOptions<LoadFlags>({ recurrentWeights: LOAD.recurrentWeights }, flags);
  return { ...deviceOption(flags), ...(recurrentWeights !== undefined && { recurrentWeights }) };
}

/** Adds the flag. */
export function deviceFlag(command: Command): Command {
  return addFlags(command, { device: COMPUTE.device });
}

/**
 * The device named by the flag; nothing without it. Prints one line to standard error if `auto` chose the CPU (with the
 * reason), and if fewer threads are used than requested.
 *
 * @throws CudaError if the named GPU cannot be used.
 */
export function deviceOption({ device, threads = 0 }: DeviceFlag): { device?: Device } {
  const processors = availableParallelism();
  if (threads > processors)
    note(`recurra: ${threads} threads would wait for one another on ${processors} processors; ${processors} are used`);
  if (device === undefined) return {};
  return { device: chooseDevice(device, (reason) => note(`recurra: ${reason}`)) };
}
