// Runs cargo so that a person sees that it lives: cargo's own bar on a terminal, its lines and a heartbeat elsewhere.

import { spawn } from 'node:child_process';

const heartbeat = 30_000;

/**
 * Runs `cargo` with `args`; resolves with nothing, or rejects with an Error naming the command and its exit.
 * On a terminal cargo draws its bar with the crate count itself.
 */
export function runCargo(args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const terminal = process.stderr.isTTY === true;
    const child = spawn('cargo', args, { cwd, env, stdio: ['ignore', 'inherit', terminal ? 'inherit' : 'pipe'] });
    const begun = Date.now();
    let compiled = 0;
    let timer;
    if (!terminal) {
      timer = setInterval(() => {
        const seconds = Math.round((Date.now() - begun) / 1000);
        process.stderr.write(`    still compiling: ${compiled} crates started, ${seconds} s\n`);
      }, heartbeat);
      timer.unref();
      let rest = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        process.stderr.write(text);
        const lines = (rest + text).split('\n');
        rest = lines.pop();
        for (const line of lines) {
          if (/^\s+Compiling /.test(line)) compiled += 1;
        }
      });
    }
    child.on('error', (error) => {
      clearInterval(timer);
      reject(new Error(`cargo could not be started: ${error.message}. Install Rust with https://rustup.rs`));
    });
    child.on('close', (code, signal) => {
      clearInterval(timer);
      if (code === 0) resolve();
      else reject(new Error(`cargo ${args.join(' ')} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
