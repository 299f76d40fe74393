import { type Command, Option } from 'commander';
import { EXPORT_NAMES, EXPORTS } from '../../export/index.js';
import { IMPORT } from '../../import/options.js';
import { type ExportFlags, exportCommand } from '../commands/export.js';
import { type ImportFlags, importCommand } from '../commands/import.js';
import { type SimilarFlags, similarCommand } from '../commands/similar.js';
import { addFlags } from '../flags.js';
import { count } from '../parsers.js';

const JSON_HELP = 'write JSON lines, and nothing else, to standard output';

/** The commands `recurra export`, `recurra import` and `recurra similar`. */
export function exportCommands(program: Command, done: (exitCode: number) => void): void {
  const forms = EXPORT_NAMES.map((name) => `${name} (${EXPORTS[name].help})`).join(', ');
  program
    .command('export')
    .description("Write a model in another program's format.")
    .argument('<model>', 'file that recurra train wrote')
    .addOption(new Option('--to <form>', `the form: ${forms}`).choices(EXPORT_NAMES).makeOptionMandatory())
    .requiredOption('--out <path>', 'file to write; a folder for formats of several files')
    .option('--json', JSON_HELP)
    .action(async (model: string, flags: ExportFlags) => done(await exportCommand(model, flags)));
  const imported = program
    .command('import')
    .description(
      'Turn a network trained by PyTorch (an embedding, LSTM, GRU or RNN, and a linear layer) into a classifier.',
    )
    .argument('<state-dict>', 'file that torch.save(model.state_dict(), path) wrote, or a state dict as safetensors')
    .requiredOption('--out <model>', 'file to write');
  addFlags(imported, IMPORT)
    .option('--json', JSON_HELP)
    .action(async (file: string, flags: ImportFlags) => done(await importCommand(file, flags)));
  program
    .command('similar')
    .description("Show the words whose vectors are most similar to a word's.")
    .argument('<model>', 'file that recurra train wrote')
    .argument('<word>', 'a word that the model knows')
    .option('--top <n>', 'words to show (default: 10)', count)
    .option('--json', JSON_HELP)
    .action(async (model: string, word: string, flags: SimilarFlags) => done(await similarCommand(model, word, flags)));
}
