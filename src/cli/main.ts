#!/usr/bin/env node
import { CommanderError } from 'commander';
import { flagWords } from './flagWords.js';
import { EXIT, reportError } from './output.js';
import { createProgram } from './program.js';
import { exitCodeAfterOutput, surviveLostOutput } from './streams.js';

/** Commands whose result is a file or a service; their output only reports on it. */
const RESULT_ELSEWHERE = ['train', 'tune', 'vectors', 'serve', 'launch', 'compress', 'export', 'import'];

/** Whether standard output only reports on a command's result. */
function resultElsewhere([command = '', ...flags]: readonly string[]): boolean {
  const out = flags.some((flag) => /^--out(=|$)/.test(flag));
  if (command === 'predict' || command === 'card') return out;
  if (command === 'report') return out || !flags.includes('--json');
  return RESULT_ELSEWHERE.includes(command);
}

// No `await` at the top: the published build of this file is CommonJS.
async function main(): Promise<void> {
  surviveLostOutput();
  let exitCode: number = EXIT.ok;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already printed its message; help and version are not failures.
      exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      const message = flagWords(error, program, process.argv.slice(2));
      exitCode = reportError(error, message, process.argv.includes('--json'));
    }
  }
  process.exitCode = await exitCodeAfterOutput(exitCode, resultElsewhere(process.argv.slice(2)), EXIT);
}

void main();
