import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** What a process said, and how it ended. */
export interface Ended {
  lines: Record<string, unknown>[];
  stderr: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Runs a program as one process of a group. */
export function runRank(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  killAfter = 25_000,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfter);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const lines = stdout.split('\n').filter(Boolean);
      resolve({ lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr, code, signal });
    });
  });
}

/** Runs a program in a group of `size` processes on this machine. */
export async function runRanks(
  program: string,
  args: readonly string[],
  size: number,
  env: Record<string, string> = {},
  killAfter?: number,
): Promise<Ended[]> {
  const port = await freePort();
  const common = { WORLD_SIZE: `${size}`, MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}`, ...env };
  return Promise.all(
    Array.from({ length: size }, (_, rank) => runRank(program, args, { ...common, RANK: `${rank}` }, killAfter)),
  );
}
