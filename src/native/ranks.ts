import { constraint, invalidArgument } from '../core/errors.js';

/** Which process of a group this one is, and the group's rendezvous. */
export interface Ranks {
  /** This process's number, from 0. */
  rank: number;
  /** Processes in the group. */
  worldSize: number;
  /** This process's number on its machine, from 0. */
  localRank: number;
  /** Address of the machine of rank 0; undefined for a group that meets in a file, or of one. */
  masterAddr: string | undefined;
  /** Its port; undefined as {@link masterAddr}. */
  masterPort: number | undefined;
  /** Whether rank 0 opens the store at that address; torchrun's agent has opened it already. */
  served: boolean;
  /** Name of this start of all processes: another start, such as a restart, uses different keys. */
  run: string;
}

/** The program's own settings; missing ones are taken from the environment. */
export interface RankOptions {
  /** This process's number, from 0. Default: `RANK`, or `SLURM_PROCID`. */
  rank?: number | undefined;
  /** Processes in the group. Default: `WORLD_SIZE`, or `SLURM_STEP_NUM_TASKS` or `SLURM_NTASKS`. */
  worldSize?: number | undefined;
  /** Name or address of the machine of rank 0. Default: `MASTER_ADDR`, or the first machine of Slurm's job. */
  masterAddr?: string | undefined;
  /** A port of that machine, which rank 0 listens on. Default: `MASTER_PORT`, or one derived from `SLURM_JOB_ID`. */
  masterPort?: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads an integer; undefined where the variable is not set, or empty. */
function integer(env: Environment, name: string, least: number, most: number): number | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw invalidArgument(`the environment variable ${name}`, `an integer from ${least} to ${most}`, text);
  return value;
}

const MOST = 4096;

/** The first machine of Slurm's list: `node07` of `node[07-09,12],other`. */
export function firstNode(list: string): string {
  const [, head = '', inside = '', tail = ''] = /^([^,[]*)(?:\[([^\]]*)\])?([^,]*)/.exec(list.trim()) ?? [];
  return head + (/^\d+/.exec(inside)?.[0] ?? '') + tail;
}

/** A port for a Slurm job: below the ephemeral range. */
function slurmPort(env: Environment): number | undefined {
  const job = integer(env, 'SLURM_JOB_ID', 0, Number.MAX_SAFE_INTEGER);
  if (job === undefined) return undefined;
  return 12_000 + ((job * 7 + (integer(env, 'SLURM_STEP_ID', 0, Number.MAX_SAFE_INTEGER) ?? 0)) % 18_000);
}

function slurmMaster(env: Environment): string | undefined {
  const list = env.SLURM_STEP_NODELIST || env.SLURM_JOB_NODELIST;
  return (list && firstNode(list)) || env.SLURM_LAUNCH_NODE_IPADDR || undefined;
}

/**
 * Determines which process this is: from the program's settings, then from the variables of torchrun and Kubernetes'
 * training operator, then from Slurm's. Undefined if none is set: the process is alone.
 *
 * @throws {@link ArgumentError} for an invalid number, or if some variables are missing.
 *
 * @internal
 */
export function resolveRanks(options: RankOptions = {}, env: Environment = process.env): Ranks | undefined {
  const torchrun = env.RANK !== undefined || env.WORLD_SIZE !== undefined;
  const slurm = !torchrun && env.SLURM_PROCID !== undefined;
  const rank = options.rank ?? (slurm ? integer(env, 'SLURM_PROCID', 0, MOST) : integer(env, 'RANK', 0, MOST));
  const worldSize =
    options.worldSize ??
    (slurm
      ? (integer(env, 'SLURM_STEP_NUM_TASKS', 1, MOST) ?? integer(env, 'SLURM_NTASKS', 1, MOST))
      : integer(env, 'WORLD_SIZE', 1, MOST));
  if (rank === undefined && (worldSize === undefined || worldSize === 1)) return undefined;
  if (rank === undefined) throw constraint('rank', `worldSize is ${worldSize}, but rank (or RANK) is missing`);
  if (worldSize === undefined)
    throw constraint('worldSize', `rank is ${rank}, but worldSize (or WORLD_SIZE) is missing`);
  if (rank >= worldSize)
    throw constraint(
      'rank',
      `Expected rank (RANK) to be below worldSize (WORLD_SIZE), ${worldSize}, but received ${rank}`,
    );
  const masterAddr = options.masterAddr ?? (env.MASTER_ADDR || (slurm ? slurmMaster(env) : undefined));
  const masterPort =
    options.masterPort ?? integer(env, 'MASTER_PORT', 1, 65_535) ?? (slurm ? slurmPort(env) : undefined);
  const agent = env.TORCHELASTIC_USE_AGENT_STORE === 'True' && options.masterAddr === undefined;
  const slurmRun = `${env.SLURM_JOB_ID ?? ''}.${env.SLURM_STEP_ID ?? ''}.${env.SLURM_RESTART_COUNT ?? 0}`;
  return {
    rank,
    worldSize,
    localRank: integer(env, 'LOCAL_RANK', 0, MOST) ?? integer(env, 'SLURM_LOCALID', 0, MOST) ?? 0,
    masterAddr,
    masterPort,
    served: !agent,
    run: slurm ? slurmRun : `${env.TORCHELASTIC_RUN_ID ?? ''}.${env.TORCHELASTIC_RESTART_COUNT ?? 0}`,
  };
}
