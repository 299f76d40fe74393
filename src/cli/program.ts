import { Command, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../native/addon.js';
import { TOKENIZER_NAMES } from '../text/tokenizer.js';
import { doctorCommand } from './commands/doctor.js';
import { type EvaluateFlags, evaluateCommand } from './commands/evaluate.js';
import { type PredictFlags, predictCommand } from './commands/predict.js';
import { type TrainFlags, trainCommand } from './commands/train.js';

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.');
  return value;
}

function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function tableOptions(command: Command): Command {
  return command
    .option(
      '--delimiter <character>',
      'what separates the columns; \\t for a tab (default: a tab for .tsv, else a comma)',
    )
    .option('--header', 'the first line names the columns (the default when columns are given by name)')
    .option('--no-header', 'the first line is a row (the default when columns are given by number)');
}

const COLUMN = 'column name, or number counted from 1';
const JSON_HELP = 'write JSON lines, and nothing else, to standard output';

/** Builds the command line's parser; `done` receives the exit code of the command that ran. */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('recurra')
    .description('Recurrent text models: train, evaluate and use RNN, LSTM and GRU classifiers.')
    .version(packageVersion())
    .showHelpAfterError('(recurra --help and recurra <command> --help say more)')
    .exitOverride();

  tableOptions(
    program
      .command('train')
      .description('Train a classifier on a CSV file and save it as one safetensors file.')
      .argument('<file>', 'CSV file with a text and a label in each row')
      .requiredOption('--text <column>', `${COLUMN}, of the text; give it again to join several`, collect)
      .requiredOption('--label <column>', `${COLUMN}, of the label`)
      .option('--out <model>', 'file to write', 'model.safetensors'),
  )
    .option(
      '--validation <share-or-file>',
      'measure after each epoch on this share of the rows (such as 0.1), or on this CSV file',
    )
    .addOption(new Option('--cell <cell>', 'recurrent cell').choices(['rnn', 'lstm', 'gru']))
    .option('--embedding-dim <n>', 'size of the word vectors', wholeNumber)
    .option('--hidden-size <n>', 'size of the hidden state, per direction', wholeNumber)
    .option('--num-layers <n>', 'recurrent layers', wholeNumber)
    .option('--no-bidirectional', 'read texts forwards only')
    .addOption(new Option('--pooling <how>', 'how outputs become one vector per text').choices(['last', 'mean', 'max']))
    .option('--dropout <share>', 'share of elements of the pooled vector dropped in training', realNumber)
    .option('--embedding-dropout <share>', 'share of elements of the word vectors dropped in training', realNumber)
    .option(
      '--tokenizer <name-or-file>',
      `how texts are split: ${TOKENIZER_NAMES.join(', ')}, or the tokenizer.json of a HuggingFace tokenizer`,
    )
    .option('--ngrams <n>', 'runs of up to this many tokens count as tokens too: 1, 2 or 3', wholeNumber)
    .option('--min-freq <n>', 'rarer tokens become <unk>', wholeNumber)
    .option('--max-tokens <n>', 'largest vocabulary', wholeNumber)
    .option('--max-length <n>', 'tokens of a text that are read', wholeNumber)
    .addOption(new Option('--truncate <part>', 'which part of a longer text is read').choices(['head', 'tail', 'both']))
    .option('--epochs <n>', 'passes over the rows', wholeNumber)
    .option('--batch-size <n>', 'rows per step', wholeNumber)
    .option('--lr <rate>', 'learning rate of Adam', realNumber)
    .addOption(new Option('--schedule <how>', 'how the learning rate moves').choices(['constant', 'linear', 'cosine']))
    .option('--clip-grad-norm <norm>', 'scale larger gradients down to this norm', realNumber)
    .option('--seed <n>', 'seed of weights, order and dropout', wholeNumber)
    .option('--threads <n>', 'threads of the numeric work', wholeNumber)
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      '\nCtrl-C once ends the training and saves what was learned (exit code 130); twice stops at once.',
    )
    .action(async (file: string, flags: TrainFlags) => done(await trainCommand(file, flags)));

  tableOptions(
    program
      .command('evaluate')
      .description('Measure a model on a labelled CSV file.')
      .argument('<model>', 'file that recurra train wrote')
      .argument('<file>', 'CSV file with a text and a label in each row')
      .requiredOption('--text <column>', `${COLUMN}, of the text; give it again to join several`, collect)
      .requiredOption('--label <column>', `${COLUMN}, of the label`),
  )
    .option('--json', JSON_HELP)
    .action(async (model: string, file: string, flags: EvaluateFlags) =>
      done(await evaluateCommand(model, file, flags)),
    );

  program
    .command('predict')
    .description('Label texts given as arguments, in a file, or line by line on standard input.')
    .argument('<model>', 'file that recurra train wrote')
    .argument('[text...]', 'texts; without any, and without --file, each line of standard input is a text')
    .option('--file <file>', 'file with one text per line')
    .option('--top-k <n>', 'labels to show per text', wholeNumber, 3)
    .option('--json', JSON_HELP)
    .action(async (model: string, texts: string[], flags: PredictFlags) =>
      done(await predictCommand(model, texts, flags)),
    );

  program
    .command('doctor')
    .description('Say what was found here: versions, processor, libtorch, CUDA.')
    .option('--json', JSON_HELP)
    .action((flags: { json?: boolean }) => done(doctorCommand(flags)));
  return program;
}
