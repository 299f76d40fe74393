import type { Command } from 'commander';
import { wholeNumber } from './parsers.js';
import { typedShare } from './shards/share.js';

/** Adds the flags of `recurra predict` that answer many files, or the lines of a pipe. */
export function manyTextsFlags(command: Command): Command {
  return command
    .option(
      '--out <folder>',
      'answer files: each argument is a file or a quoted pattern, and each file gets one of JSON lines in this folder',
    )
    .option(
      '--shard <i/n>',
      'with --out: only this share of the files, from 1/n to n/n; auto: that of the task of a job array (Slurm, Kubernetes, AWS Batch)',
      typedShare,
    )
    .option(
      '--shards <n>',
      'with --shard auto: how many tasks there are, where the scheduler does not say it',
      wholeNumber,
    )
    .option('--overwrite', 'with --out: also write again what another model, or other options, made')
    .option(
      '--filter',
      'answer each JSON object of standard input by the same object with one field more, line by line',
    )
    .option('--into <field>', 'with --filter: the field of the answer (default: prediction)');
}
