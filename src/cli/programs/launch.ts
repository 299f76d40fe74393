import type { Command } from 'commander';
import { type LaunchFlags, launchCommand } from '../commands/launch.js';
import { wholeNumber } from '../parsers.js';

/** `recurra launch`: the processes of a training on one machine. */
export function launchCommands(program: Command, done: (exitCode: number) => void): void {
  program
    .command('launch')
    .description(
      'Start a command as several processes of one group on this machine, such as recurra train with --distributed.',
    )
    .argument('<command...>', 'the command and its arguments, behind --')
    .requiredOption('--nproc <n>', 'number of processes', wholeNumber)
    .option('--max-restarts <n>', 'when one fails, restart all, up to n times (default: 0)', wholeNumber)
    .option('--master-port <n>', 'rendezvous port (default: a free one)', wholeNumber)
    .addHelpText(
      'after',
      '\nExample: recurra launch --nproc 2 -- recurra train texts.csv --text body --label topic --distributed\n' +
        "The processes get torchrun's variables (RANK, WORLD_SIZE, MASTER_ADDR, ...). When one fails, the others are ended;\n" +
        'the exit code is that of the first that failed. Signals are passed on. Several machines: torchrun or srun, docs/distributed.md.',
    )
    .action(async (command: string[], flags: LaunchFlags) => done(await launchCommand(command, flags)));
}
