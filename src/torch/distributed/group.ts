import { checkFilled, checkInteger, checkOptions, checkRange } from '../../core/checks.js';
import { RecurraError } from '../../core/errors.js';
import { joinProcessGroup, type NativeProcessGroup, type ProcessGroupOptions } from '../../native/processGroup.js';

/** The group of this process; there is one at a time, as in PyTorch. */
let current: NativeProcessGroup | undefined;
let joining = false;

/**
 * The group of this process.
 *
 * @throws `INVALID_ARGUMENT` before `initProcessGroup`.
 *
 * @internal
 */
export function currentGroup(): NativeProcessGroup {
  if (current) return current;
  throw new RecurraError('INVALID_ARGUMENT', 'There is no process group: await distributed.initProcessGroup() first');
}

/**
 * Joins the process group, as `torch.distributed.init_process_group`. Missing settings are taken from the variables of
 * torchrun (`RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`), which Kubernetes' training operator sets too, or from
 * Slurm's. Without any of them, the group consists of this process only.
 *
 * Gloo's traffic is neither authenticated nor encrypted: use it only in a trusted network.
 *
 * @throws `DistributedError` if the processes cannot find each other within the timeout, or differ in size or version;
 * `ArgumentError` for invalid options; `LibtorchError` without libtorch.
 *
 * @example
 * ```ts
 * // `masterAddr` and its port are where rank 0 listens.
 * const join = (rank: number) => distributed.initProcessGroup({ rank, worldSize: 2, masterAddr: '10.0.0.1', masterPort: 29500 });
 * ```
 */
export async function initProcessGroup(options?: ProcessGroupOptions): Promise<void> {
  const checked = checkOptions('initProcessGroup', options, [
    'backend',
    'rank',
    'worldSize',
    'masterAddr',
    'masterPort',
    'timeout',
    'hostname',
    'store',
  ]);
  const { rank, worldSize, masterPort, timeout } = checked;
  if (rank !== undefined) checkInteger('rank', rank, 0);
  if (worldSize !== undefined) checkInteger('worldSize', worldSize, 1);
  if (masterPort !== undefined) checkInteger('masterPort', masterPort, 1, 65_535);
  if (timeout !== undefined) checkRange('timeout', timeout, { above: 0, to: 1e6 });
  for (const name of ['backend', 'masterAddr', 'hostname', 'store'] as const) {
    if (checked[name] !== undefined) checkFilled(name, checked[name], 'a string that is not empty');
  }
  if (current || joining)
    throw new RecurraError(
      'INVALID_ARGUMENT',
      'There is a process group: await distributed.destroyProcessGroup() first',
    );
  joining = true;
  try {
    current = await joinProcessGroup(checked);
  } finally {
    joining = false;
  }
}

/** Whether this process has joined a group. */
export function isInitialized(): boolean {
  return current !== undefined;
}

/** This process's number in the group, from 0. */
export function getRank(): number {
  return currentGroup().rank();
}

/** Processes in the group. */
export function getWorldSize(): number {
  return currentGroup().size();
}

/** Leaves the group. Ranks that still wait for this one get an error. Does nothing without a group. */
export async function destroyProcessGroup(): Promise<void> {
  const group = current;
  current = undefined;
  await group?.close();
}
