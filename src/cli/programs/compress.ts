import type { Command } from 'commander';
import { COMPRESS } from '../../models/compression/index.js';
import { type CompressFlags, compressCommand } from '../commands/compress.js';
import { addFlags } from '../flags.js';
import { rowFlags } from '../rows.js';

/** `recurra compress`: smaller models. */
export function compressCommands(program: Command, done: (exitCode: number) => void): void {
  const compress = program
    .command('compress')
    .description('Make a smaller model of a model: words in few bits, fewer words and n-grams. It needs no rows.')
    .argument('<model>', 'file that recurra train wrote')
    .option('--max-size <size>', 'bytes of the file at most, such as 1.6MB or 800kB; what loses least is chosen')
    .option('--out <model>', 'file to write (default: beside the model, with .small.safetensors)');
  rowFlags(
    addFlags(compress, COMPRESS).option(
      '--eval <file>',
      'file of rows on which both models are measured, for the report alone',
    ),
  )
    .option('--json', 'write JSON lines, and nothing else, to standard output')
    .action(async (model: string, flags: CompressFlags) => done(await compressCommand(model, flags)));
}
