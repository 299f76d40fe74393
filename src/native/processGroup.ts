import type { torch as torchNamespace } from '../../index.d.js';
import { DistributedError } from '../core/errors.js';
import { packageVersion } from './addon.js';
import { type RankOptions, resolveRanks } from './ranks.js';
import { torch } from './torch.js';

/** Default timeout of a group in seconds. */
export const DEFAULT_GROUP_TIMEOUT = 60;

/** Options of the group to join; missing options are taken from the environment. */
export interface ProcessGroupOptions extends RankOptions {
  /** Backend of the exchange; default: `'gloo'`, on the CPU. */
  backend?: string | undefined;
  /** Seconds within which all ranks must arrive, and each must come to a collective once another has; default: 60. */
  timeout?: number | undefined;
  /**
   * Name or address of this machine that the group's connections are bound to, and that other ranks reach. Default: the
   * interfaces in `GLOO_SOCKET_IFNAME`, otherwise the address from which this machine reaches the master.
   */
  hostname?: string | undefined;
  /** A new file visible to all processes, as rendezvous instead of an address. It is not removed. */
  store?: string | undefined;
}

/** A handle on a process group of the torch addon. */
export type NativeProcessGroup = torchNamespace.ProcessGroup;

/**
 * Joins a process group, which loads libtorch.
 *
 * @throws {@link DistributedError} if the processes cannot find each other or differ; {@link ArgumentError} for invalid
 * settings.
 *
 * @internal
 */
export async function joinProcessGroup(options: ProcessGroupOptions = {}): Promise<NativeProcessGroup> {
  const ranks = resolveRanks(options) ?? {
    rank: 0,
    worldSize: 1,
    masterAddr: undefined,
    masterPort: undefined,
    served: true,
    run: '',
  };
  const alone = ranks.worldSize === 1;
  const interfaces = options.hostname === undefined ? process.env.GLOO_SOCKET_IFNAME || undefined : undefined;
  const masterAddr = alone && ranks.served ? '127.0.0.1' : ranks.masterAddr;
  const masterPort = alone && ranks.served ? 0 : ranks.masterPort;
  return torch().openProcessGroup({
    backend: options.backend ?? 'gloo',
    rank: ranks.rank,
    size: ranks.worldSize,
    served: ranks.served,
    run: ranks.run,
    timeout: options.timeout ?? DEFAULT_GROUP_TIMEOUT,
    version: packageVersion(),
    ...(masterAddr !== undefined && { masterAddr }),
    ...(masterPort !== undefined && { masterPort }),
    ...(options.store !== undefined && { file: options.store }),
    ...(options.hostname !== undefined && { hostname: options.hostname }),
    ...(interfaces !== undefined && { interface: interfaces }),
  });
}

/** A process group as the trainer uses it. */
export interface OpenProcessGroup {
  /** This process's number, from 0. */
  readonly rank: number;
  /** Processes in the group. */
  readonly size: number;
  /** Address of the table by which the light addon exchanges arrays; valid until {@link close}. */
  readonly table: bigint;
  /** Gathers any number of bytes from each rank, in rank order. Calls run in the order in which they are made. */
  allGatherBytes(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** Waits until every rank has called this. */
  barrier(): Promise<void>;
  /** Ends the group in this process. Ranks that still wait for this one get an error. */
  close(): Promise<void>;
}

/**
 * Joins a process group for the light addon, which loads the torch addon and libtorch.
 *
 * @throws As {@link joinProcessGroup}.
 *
 * @internal
 */
export async function openProcessGroup(options: ProcessGroupOptions = {}): Promise<OpenProcessGroup> {
  const group = await joinProcessGroup(options);
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(call: () => Promise<T>): Promise<T> => {
    const result = last.then(call);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    rank: group.rank(),
    size: group.size(),
    table: group.table(),
    allGatherBytes: (bytes) => inOrder(() => group.allGatherBytes(bytes)),
    barrier: () => inOrder(() => group.barrier()),
    close: () => inOrder(() => group.close()),
  };
}

/**
 * Checks values that all ranks must have in common. Every rank must make the same call with the same names.
 *
 * @param values - The values by name, such as `{ 'the options': '...', 'the rows': '...' }`.
 * @throws {@link DistributedError} on every rank if one differs, with the name, both ranks and both values.
 *
 * @internal
 */
export async function agree(
  group: Pick<OpenProcessGroup, 'rank' | 'allGatherBytes'>,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const parts = await group.allGatherBytes(new TextEncoder().encode(JSON.stringify(Object.entries(values))));
  const [first = [], ...others] = parts.map((part) => JSON.parse(new TextDecoder().decode(part)) as [string, string][]);
  for (const [index, other] of others.entries()) {
    const rank = index + 1;
    const at = Math.max(first.length, other.length);
    for (let i = 0; i < at; i++) {
      const [name, value] = first[i] ?? ['nothing', ''];
      const [otherName, otherValue] = other[i] ?? ['nothing', ''];
      if (name !== otherName)
        throw new DistributedError(
          `the ranks differ in what they compare: rank 0 has ${name}, rank ${rank} has ${otherName}`,
          { rank },
        );
      if (value !== otherValue) {
        const [one, two] = apart(value, otherValue);
        throw new DistributedError(`the ranks differ in ${name}: rank 0 has ${one}, rank ${rank} has ${two}`, { rank });
      }
    }
  }
}

/** Two long values from shortly before their first difference. */
function apart(one: string, two: string): [string, string] {
  let same = 0;
  while (same < one.length && one[same] === two[same]) same++;
  const from = Math.max(0, same - 40);
  const cut = (text: string): string =>
    `${from > 0 ? '...' : ''}${text.slice(from, from + 160)}${text.length > from + 160 ? '...' : ''}`;
  return [cut(one), cut(two)];
}
