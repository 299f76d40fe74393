import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { constraint } from '../../core/errors.js';
import { note } from '../../core/terminal.js';
import { type Patience, Processes } from '../launch/processes.js';
import { EXIT } from '../output.js';
import { onStopSignal } from '../signals.js';

/** Flags of `recurra launch`. */
export interface LaunchFlags {
  nproc: number;
  maxRestarts?: number;
  masterPort?: number;
}

/** Largest number of processes in one group. */
const MOST_PROCESSES = 4096;

const PATIENCE: Patience = { notice: 2_000, end: 10_000 };

/** A free port on this machine. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What every process of one start has in common. */
interface Start {
  nproc: number;
  port: number;
  run: string;
  restart: number;
  maxRestarts: number;
}

/** The variables that torchrun sets, for one process. Rank 0 opens the store, since no agent has. */
function environment(rank: number, { nproc, port, run, restart, maxRestarts }: Start): NodeJS.ProcessEnv {
  const { TORCHELASTIC_USE_AGENT_STORE: _, ...inherited } = process.env;
  const threads = Math.max(1, Math.floor(availableParallelism() / nproc));
  return {
    OMP_NUM_THREADS: String(threads),
    ...inherited,
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    GROUP_RANK: '0',
    WORLD_SIZE: String(nproc),
    LOCAL_WORLD_SIZE: String(nproc),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(port),
    TORCHELASTIC_RUN_ID: run,
    TORCHELASTIC_RESTART_COUNT: String(restart),
    TORCHELASTIC_MAX_RESTARTS: String(maxRestarts),
  };
}

function checkRange(option: string, flag: string, value: number | undefined, least: number, most: number): void {
  if (value !== undefined && (value < least || value > most))
    throw constraint(option, `Expected an integer from ${least} to ${most} for ${flag} but received ${value}`);
}

/** `recurra launch`: starts a command as several processes of one group on this machine, as torchrun does; returns its exit code. */
export async function launchCommand(command: readonly string[], flags: LaunchFlags): Promise<number> {
  const { nproc, maxRestarts = 0, masterPort } = flags;
  checkRange('nproc', '--nproc', nproc, 1, MOST_PROCESSES);
  checkRange('masterPort', '--master-port', masterPort, 1, 65_535);
  const run = randomUUID();
  let processes: Processes | undefined;
  let stopped = false;
  const release = onStopSignal((signal) => {
    stopped = true;
    processes?.signal(signal);
  });
  try {
    for (let restart = 0; ; restart++) {
      const start = { nproc, port: masterPort ?? (await freePort()), run, restart, maxRestarts };
      if (stopped) return EXIT.interrupted;
      const environments = Array.from({ length: nproc }, (_, rank) => environment(rank, start));
      processes = new Processes(command as [string, ...string[]], environments, PATIENCE);
      const failed = await processes.ended();
      if (!failed) return 0;
      const { rank, how, exitCode } = failed;
      const again = !stopped && restart < maxRestarts;
      const then = again ? `; restart ${restart + 1} of ${maxRestarts}` : '';
      if (!stopped) note(`recurra: rank ${rank} of ${nproc} ended with ${how}${then}`);
      if (!again) return exitCode;
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!syscall?.startsWith('spawn')) throw error;
    const why = code === 'ENOENT' ? 'no such program' : (error as Error).message;
    throw constraint('command', `${command[0]} cannot be started: ${why}`);
  } finally {
    release();
  }
}
