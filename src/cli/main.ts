#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, endWithReader, reportError } from './output.js';
import { createProgram } from './program.js';

// No `await` at the top: the published build of this file is CommonJS.
async function main(): Promise<void> {
  endWithReader();
  let exitCode: number = EXIT.ok;
  try {
    await createProgram((code) => {
      exitCode = code;
    }).parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has already written its message; help and version are no failures.
      exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      exitCode = reportError(error, process.argv.includes('--json'));
    }
  }
  process.exitCode = exitCode;
}

void main();
