import type { Command } from 'commander';
import type { Column } from '../data/readers/fields.js';
import { KEEP, typedColumn } from '../data/readers/options.js';
import { addFlags } from './flags.js';
import { wholeNumber } from './parsers.js';
import { typedShare } from './shards/share.js';

/** The flag of columns that are carried over. */
const KEPT = {
  keep: {
    ...KEEP.keep,
    flag: '<column>',
    flagHelp:
      'column of the file to carry over, such as an id, by name or by number from 1; give it again for several; with --csv, --json or --out',
    parse: (typed: string, before: unknown) => [...((before as Column[] | undefined) ?? []), typedColumn(typed)],
    repeatable: true,
  },
};

/** Adds the flags of `recurra predict` for many files and for pipes. */
export function manyTextsFlags(command: Command): Command {
  return addFlags(command, KEPT)
    .option(
      '--out <path>',
      'answer files: each argument is a file or a quoted pattern, and each file gets one of JSON lines in this folder; a name that ends in .csv, .tsv or .jsonl is one file with the answers of all',
    )
    .option(
      '--shard <i/n>',
      'with --out: answer only this share of the files, from 1/n to n/n; auto: the share of this task in a job array (Slurm, Kubernetes, AWS Batch)',
      typedShare,
    )
    .option('--shards <n>', 'with --shard auto: the number of tasks, if the scheduler does not provide it', wholeNumber)
    .option('--overwrite', 'with --out: overwrite answers made by another model or with other options')
    .option('--filter', 'read JSON lines from standard input and write each object back with the answer added')
    .option('--csv', 'write CSV with a header to standard output')
    .option('--bom', 'start CSV with a byte order mark, by which Excel recognises UTF-8')
    .option('--into <field>', 'with --filter: the field of the answer (default: prediction)');
}
