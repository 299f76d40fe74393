import { invalidArgument } from '../../core/errors.js';
import { number, text } from '../../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';

/** How the processes of a training find each other. */
export interface DistributedOptions {
  /**
   * Seconds after which a silent rank counts as lost. A broken connection is noticed at once. From 1 to 86,400. Default
   * 60.
   */
  timeout?: number;
  /**
   * Name or address of this machine for the other ranks. Default: the address of the interface in `GLOO_SOCKET_IFNAME`,
   * otherwise the one that reaches the master.
   */
  hostname?: string;
}

/** The table of {@link DistributedOptions}. */
export const DISTRIBUTED = {
  timeout: option(number({ from: 1, to: 86_400 }), {
    default: 60,
    help: 'seconds after which a silent rank counts as lost',
  }),
  hostname: option(text('the name or address of this machine'), {
    defaultText: 'the address that reaches the master',
    help: 'name or address of this machine for the other ranks',
  }),
} as const satisfies TableOf<DistributedOptions>;

/** {@link DistributedOptions} with every default filled in. */
export type DistributedSettings = SettingsOf<typeof DISTRIBUTED>;

/** Description of the option `distributed`. */
export const DISTRIBUTED_WORDS = 'true, false or an object with timeout or hostname';

/** Checks the option `distributed` and fills in the defaults; undefined for a training of one process. */
export function distributedSettings(given: unknown): DistributedSettings | undefined {
  if (given === false) return undefined;
  if (given === true) return settingsOf(DISTRIBUTED, {});
  if (typeof given !== 'object' || given === null) throw invalidArgument('distributed', DISTRIBUTED_WORDS, given);
  checkNames('distributed', given, DISTRIBUTED);
  return settingsOf(DISTRIBUTED, given, 'distributed.');
}
