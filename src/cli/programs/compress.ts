import type { Command } from 'commander';
import { COMPRESS } from '../../models/compression/index.js';
import { type CompressFlags, compressCommand } from '../commands/compress.js';
import { addFlags } from '../flags.js';
import { rowFlags } from '../rows.js';

/** `recurra compress`: smaller models. */
export function compressCommands(program: Command, done: (exitCode: number) => void): void {
  const compress = program
    .command('compress')
    .description(
      'Make a model smaller: fewer bits per word vector, fewer words and n-grams. Needs no rows, but at least one of --max-size, --bits and --keep-words.',
    )
    .argument('<model>', 'file that recurra train wrote')
    .option('--max-size <size>', 'largest size of the file, such as 1.6MB or 800kB; picks the form that loses least')
    .option('--out <model>', 'file to write (default: next to the model, with .small.safetensors)');
  rowFlags(
    addFlags(compress, COMPRESS).option('--eval <file>', 'file of rows to measure both models on, for the report only'),
  )
    .option('--json', 'write JSON lines, and nothing else, to standard output')
    .action(async (model: string, flags: CompressFlags) => done(await compressCommand(model, flags)));
}
