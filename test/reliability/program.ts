import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** How a program of `programs/` ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** Runs a program of `programs/`; one that does not end is killed after a while, which shows as its signal. */
export function runProgram(name: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const loader = name.endsWith('.ts') ? ['--import', 'tsx'] : [];
    const child = spawn(process.execPath, [...loader, join(import.meta.dirname, 'programs', name), ...args], {
      env: { ...process.env, RUST_BACKTRACE: '0', ...env },
      timeout: 25_000,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** What a program that ended well printed, as JSON. */
export async function resultOf<T>(name: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<T> {
  const { code, signal, out, err } = await runProgram(name, args, env);
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? code}:\n${out}\n${err}`);
  return JSON.parse(out.trim().split('\n').at(-1)!) as T;
}
