import { InvalidArgumentError } from 'commander';
import { constraint } from '../../core/errors.js';

/** One of several equal shares of the files. */
export interface Share {
  /** Number of the share, from 0. */
  index: number;
  /** How many shares there are. */
  count: number;
}

/** Flags that select a share of the files. */
export interface ShareFlags {
  /** The share, or `auto` for the share of this task in a job array. */
  shard?: Share | 'auto';
  /** Number of shares, if the scheduler does not provide it. */
  shards?: number;
}

const WHOLE: Share = { index: 0, count: 1 };

/** Reads `3/100`, the third of a hundred shares, or `auto`. */
export function typedShare(text: string): Share | 'auto' {
  if (text === 'auto') return text;
  const [, number, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const index = Number(number) - 1;
  const count = Number(of);
  if (Number.isSafeInteger(count) && index >= 0 && index < count) return { index, count };
  throw new InvalidArgumentError('Expected a share, such as 1/100 to 100/100, or auto.');
}

/** What a scheduler provides to each task of an array. */
interface Scheduler {
  name: string;
  /** Variable with the task's number; if it is set, this scheduler runs the process. */
  index: string;
  /** Variable with the number of tasks. */
  count: string;
  /** Variable with the number of the first task; 0 if there is none. */
  first?: string;
  /** Variable with the step between numbers; 1 if there is none. */
  step?: string;
  /** Advice for an unknown number of tasks. */
  advice: string;
}

const SCHEDULERS: readonly Scheduler[] = [
  {
    name: 'Slurm',
    index: 'SLURM_ARRAY_TASK_ID',
    count: 'SLURM_ARRAY_TASK_COUNT',
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
    advice: 'give --shards',
  },
  {
    name: 'Kubernetes',
    index: 'JOB_COMPLETION_INDEX',
    count: 'JOB_COMPLETIONS',
    advice: "set it in the Job's manifest to the value of completions, or give --shards",
  },
  {
    name: 'AWS Batch',
    index: 'AWS_BATCH_JOB_ARRAY_INDEX',
    count: 'AWS_BATCH_JOB_ARRAY_SIZE',
    advice: 'give --shards',
  },
];

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The whole number of a variable; undefined where it is not set. */
function variable(environment: Environment, name: string | undefined): number | undefined {
  const text = name === undefined ? undefined : environment[name];
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw constraint('shard', `--shard auto needs a whole number in ${name}, which is ${JSON.stringify(text)}`);
}

/** The share of a task, from its scheduler's variables. */
function taskShare(environment: Environment, shards: number | undefined): Share {
  const found = SCHEDULERS.filter(({ index }) => environment[index] !== undefined);
  const [scheduler] = found;
  if (!scheduler) {
    const names = SCHEDULERS.map(({ index }) => index).join(', ');
    throw constraint('shard', `--shard auto found no job array: none of ${names} is set; give a share, such as 1/100`);
  }
  if (found.length > 1) {
    const names = found.map(({ index }) => index).join(' and ');
    throw constraint('shard', `--shard auto found several job arrays: ${names} are set; give a share, such as 1/100`);
  }
  const id = variable(environment, scheduler.index)!;
  const count = shards ?? variable(environment, scheduler.count);
  if (count === undefined)
    throw constraint(
      'shards',
      `${scheduler.name} does not provide the number of tasks: ${scheduler.count} is not set; ${scheduler.advice}`,
    );
  const first = variable(environment, scheduler.first) ?? 0;
  const index = (id - first) / (variable(environment, scheduler.step) ?? 1);
  if (count >= 1 && Number.isInteger(index) && index >= 0 && index < count) return { index, count };
  const says = [scheduler.index, scheduler.first, scheduler.step, scheduler.count]
    .filter((name) => name !== undefined && environment[name] !== undefined)
    .map((name) => `${name}=${environment[name!]}`);
  if (shards !== undefined) says.push(`--shards ${shards}`);
  throw constraint(
    'shard',
    `--shard auto cannot tell the share of this task: ${says.join(', ')}; task numbers must be consecutive; otherwise give each task its share, such as 3/100`,
  );
}

/**
 * The share of the files for this process: all of them without a flag.
 *
 * @throws ArgumentError if the flags contradict each other, or the environment does not determine the share.
 */
export function shareOf({ shard, shards }: ShareFlags, environment: Environment): Share {
  if (shards !== undefined && shard !== 'auto')
    throw constraint('shards', '--shards is the number of tasks of a job array and needs --shard auto');
  if (shards === 0) throw constraint('shards', 'Expected an integer of at least 1 for --shards but received 0');
  if (shard === 'auto') return taskShare(environment, shards);
  return shard ?? WHOLE;
}
