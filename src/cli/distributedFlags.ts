import type { Command } from 'commander';
import { constraint } from '../core/errors.js';
import { resolveRanks } from '../native/ranks.js';
import { DISTRIBUTED, type DistributedOptions } from '../training/distributed/options.js';
import { realNumber } from './parsers.js';

/** The flags of `recurra train` about other processes, as commander gives them. */
export interface DistributedFlags {
  distributed?: boolean;
  distributedTimeout?: number;
}

/** Adds the flag that belongs to `--distributed`. */
export function distributedTimeoutFlag(command: Command): Command {
  const { help, default: seconds } = DISTRIBUTED.timeout;
  return command.option('--distributed-timeout <seconds>', `${help} (default: ${seconds})`, realNumber);
}

/**
 * The `distributed` option built from the flags, if any were given.
 *
 * @throws ArgumentError if a flag needs `--distributed` and it is missing.
 */
export function distributedOption({ distributed, distributedTimeout: timeout }: DistributedFlags): {
  distributed?: DistributedOptions;
} {
  if (!distributed && timeout !== undefined)
    throw constraint('distributed', '--distributed-timeout needs --distributed');
  return distributed ? { distributed: timeout === undefined ? {} : { timeout } } : {};
}

/** The rank of this process. Rank 0 writes and reports. */
export function rankOf({ distributed }: DistributedFlags): number {
  return distributed ? (resolveRanks()?.rank ?? 0) : 0;
}
