import type { Command } from 'commander';
import { wholeNumber } from './parsers.js';
import { typedShare } from './shards/share.js';

/** Adds the flags of `recurra predict` for many files and for pipes. */
export function manyTextsFlags(command: Command): Command {
  return command
    .option(
      '--out <folder>',
      'answer files: each argument is a file or a quoted pattern, and each file gets one of JSON lines in this folder',
    )
    .option(
      '--shard <i/n>',
      'with --out: answer only this share of the files, from 1/n to n/n; auto: the share of this task in a job array (Slurm, Kubernetes, AWS Batch)',
      typedShare,
    )
    .option('--shards <n>', 'with --shard auto: the number of tasks, if the scheduler does not provide it', wholeNumber)
    .option('--overwrite', 'with --out: overwrite answers made by another model or with other options')
    .option('--filter', 'read JSON lines from standard input and write each object back with the answer added')
    .option('--into <field>', 'with --filter: the field of the answer (default: prediction)');
}
