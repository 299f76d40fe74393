import { Command, Option } from 'commander';
import { GROUP, PAIR_COLUMNS } from '../data/readers/options.js';
import { COMPARE, DOUBT, INSPECT } from '../inspection/options.js';
import { systems } from '../libtorch/systems.mjs';
import { EVALUATION } from '../models/classifier/evaluate.js';
import { EXPLAIN } from '../models/classifier/explain.js';
import { CLASSIFIER } from '../models/classifier/options.js';
import { PREDICT } from '../models/classifier/predictOptions.js';
import { TUNE } from '../models/classifier/tuning/options.js';
import { LANGUAGE } from '../models/language/options.js';
import { GENERATE } from '../models/language/sampling.js';
import { PAIR_EVALUATION } from '../models/seq2seq/evaluate.js';
import { SEQ2SEQ } from '../models/seq2seq/options.js';
import { TRANSLATE } from '../models/seq2seq/prediction.js';
import { SERVING } from '../models/serving/options.js';
import { TAG_EVALUATION } from '../models/tagger/evaluate.js';
import { TAGGER } from '../models/tagger/options.js';
import { TAGGER_TUNE } from '../models/tagger/tuning/options.js';
import { packageVersion } from '../native/addon.js';
import { SERVER } from '../serve/options.js';
import { LEARN_VECTORS } from '../text/learned/options.js';
import { COMPUTE } from '../training/options/train.js';
import { checkpointEveryFlag } from './checkpointFlags.js';
import { type CompareFlags, compareCommand } from './commands/compare.js';
import { doctorCommand } from './commands/doctor.js';
import { type EvaluateFlags, evaluateCommand } from './commands/evaluate.js';
import { type ExplainFlags, explainCommand } from './commands/explain.js';
import { type GenerateFlags, generateCommand } from './commands/generate.js';
import { type InspectFlags, inspectCommand } from './commands/inspect.js';
import {
  type LibtorchFlags,
  libtorchInstallCommand,
  libtorchListCommand,
  libtorchRemoveCommand,
  libtorchWhereCommand,
} from './commands/libtorch.js';
import { type PredictFlags, predictCommand } from './commands/predict.js';
import { type ServeFlags, serveCommand } from './commands/serve.js';
import { type TrainFlags, trainCommand } from './commands/train.js';
import { type TuneFlags, tuneCommand } from './commands/tune.js';
import { type VectorsFlags, vectorsCommand } from './commands/vectors.js';
import { deviceFlag, LOADING } from './device.js';
import { distributedTimeoutFlag } from './distributedFlags.js';
import { addFlags, addMissingFlags, giveOnce } from './flags.js';
import { COLUMNS_HELP } from './modelColumns.js';
import { wholeNumber } from './parsers.js';
import { manyTextsFlags } from './predictFlags.js';
import { compressCommands } from './programs/compress.js';
import { exportCommands } from './programs/exports.js';
import { launchCommands } from './programs/launch.js';
import { reportCommands } from './programs/reports.js';
import { labelledTextFlags, rowFlags, taggedTextFlags, textFlags } from './rows.js';
import { adviseOnFlags } from './suggestions.js';
import { taskFlag } from './tasks.js';

const ROWS_FILE =
  'files with a text and a label in each row (CSV, TSV, JSON lines, Parquet or fastText), or with tags (CoNLL, CoNLL-U, JSON lines with spans), also .gz and .zst; - for standard input';
const TRAINING_FILE = `${ROWS_FILE}; several are read one after the other; with --task language one text (.txt), or a text in each row; with --task seq2seq a source and a target in each row`;
const JSON_HELP = 'write JSON lines, and nothing else, to standard output';

/** `recurra libtorch`: the libraries needed by tensors and custom networks. */
function libtorchCommands(program: Command, done: (exitCode: number) => void): void {
  const libtorch = program
    .command('libtorch')
    .description(
      'Install, find or remove libtorch, which tensors and your own networks need (TextClassifier does not).',
    );
  libtorch
    .command('install')
    .description(
      'Use the libtorch of an installed Python package, or download it from a Python package index (81 to 545 MB, 2.5 GB with CUDA).',
    )
    .option('--cuda', 'the variant for CUDA 13')
    .option('--from <file>', "unpack this torch wheel (with NVIDIA's in the same folder) instead of downloading")
    .option('--dir <folder>', 'install there instead of in the cache folder')
    .option('--index-url <url>', 'download from this package index instead of the one pip is configured to use')
    .option('--fetch', 'download it even if a Python on PATH has one')
    .option('--platform <name>', `download it for another machine, into --dir: ${Object.keys(systems).join(', ')}`)
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      '\nWithout --index-url, the index and its credentials are those of pip (PIP_INDEX_URL, pip.conf). HTTPS_PROXY and NO_PROXY are respected.\nAn interrupted download is kept: run the same command again to resume it.',
    )
    .action(async (flags: LibtorchFlags) => done(await libtorchInstallCommand(flags)));
  libtorch
    .command('list')
    .description('Show the installed libtorch versions and the one in use.')
    .option('--json', JSON_HELP)
    .action((flags: LibtorchFlags) => done(libtorchListCommand(flags)));
  libtorch
    .command('where')
    .description('Print the folder of the libtorch in use.')
    .option('--json', JSON_HELP)
    .action((flags: LibtorchFlags) => done(libtorchWhereCommand(flags)));
  libtorch
    .command('remove')
    .description('Remove what was installed in the cache folder.')
    .option('--cuda', 'the variant for CUDA')
    .option('--json', JSON_HELP)
    .action(async (flags: LibtorchFlags) => done(await libtorchRemoveCommand(flags)));
}

/** Builds the parser of the command line; `done` receives the command's exit code. */
export function createProgram(done: (exitCode: number) => void): Command {
  const program = new Command('recurra')
    .description(
      'Recurrent text models: train, evaluate and use RNN, LSTM and GRU classifiers, taggers, language models and models from sequence to sequence.',
    )
    .version(packageVersion())
    .showHelpAfterError('Run recurra --help or recurra <command> --help for details.')
    .exitOverride();

  const train = rowFlags(
    taskFlag(
      program
        .command('train')
        .description(
          'Train a model on a file of labelled texts, of sentences with tags, of texts alone, or of pairs, and save it as one safetensors file.',
        )
        .argument('<file...>', TRAINING_FILE)
        .option('--out <model>', 'file to write', 'model.safetensors'),
    ),
  );
  distributedTimeoutFlag(
    checkpointEveryFlag(
      addMissingFlags(
        addMissingFlags(
          addMissingFlags(addFlags(train, CLASSIFIER), TAGGER, 'with --task tag: '),
          LANGUAGE,
          'with --task language: ',
        ),
        SEQ2SEQ,
        'with --task seq2seq: ',
      ),
    ),
  )
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      '\nCtrl-C (or SIGTERM, SIGHUP) once ends the training and saves what was learned (exit code 130); twice stops at once.',
    )
    .action(async (files: string[], flags: TrainFlags) => done(await trainCommand(files, flags)));

  const tune = taggedTextFlags(
    program
      .command('tune')
      .description(
        'Search for the best settings for a file of labelled texts, or of sentences with tags, and save a model trained with them.',
      )
      .argument('<file...>', ROWS_FILE)
      .addOption(
        new Option('--task <task>', 'what the model is for: classify (the default), or tag').choices([
          'classify',
          'tag',
        ]),
      )
      .option('--out <model>', 'file to write', 'model.safetensors'),
  );
  addMissingFlags(addMissingFlags(tune, TUNE, ''), TAGGER_TUNE, 'with --task tag: ')
    .option('--json', JSON_HELP)
    .addHelpText(
      'after',
      '\nTraining settings given as flags apply to every trial. Ctrl-C saves the best so far (exit code 130).',
    )
    .action(async (files: string[], flags: TuneFlags) => done(await tuneCommand(files, flags)));

  for (const command of [train, tune]) addFlags(command, GROUP);

  const evaluate = rowFlags(
    program
      .command('evaluate')
      .description(
        'Measure a model on a file of labelled texts, of sentences with tags, of texts for a language model, or of pairs.',
      )
      .argument('<model>', 'file that recurra train wrote')
      .argument('<file...>', ROWS_FILE),
  );
  const measured = addMissingFlags(addFlags(evaluate, EVALUATION), TAG_EVALUATION, 'of a tagger: ');
  addFlags(addMissingFlags(measured, PAIR_EVALUATION, 'of a model of pairs: '), LOADING)
    .option('--predictions <file>', 'also write each row with the predicted label and its probability, as JSON lines')
    .option('--json', JSON_HELP)
    .addHelpText('after', COLUMNS_HELP)
    .action(async (model: string, files: string[], flags: EvaluateFlags) =>
      done(await evaluateCommand(model, files, flags)),
    );

  const predict = addFlags(
    textFlags(
      program
        .command('predict')
        .description(
          'Label texts, find spans in them, or write their targets. Texts come from arguments, a file, or standard input, one per line.',
        )
        .argument('<model>', 'file that recurra train wrote')
        .argument('[text...]', 'texts to label (default: lines of standard input); with --out: files')
        .option('--file <file>', 'file of texts in any format that train reads, or one text per line without --text'),
    ),
    LOADING,
  ).option('--top-k <n>', 'labels to show per text (default: 3)', wholeNumber);
  addMissingFlags(
    predict,
    { source: { ...PAIR_COLUMNS.source, default: undefined } },
    'of a model of pairs, the same as --text: ',
  );
  addMissingFlags(predict, PREDICT, '');
  manyTextsFlags(addMissingFlags(predict, TRANSLATE, 'of a model of pairs: '))
    .option('--json', JSON_HELP)
    .addHelpText('after', COLUMNS_HELP)
    .action(async (model: string, texts: string[], flags: PredictFlags) =>
      done(await predictCommand(model, texts, flags)),
    );

  const generate = program
    .command('generate')
    .description('Continue a prompt with a model trained by recurra train --task language.')
    .argument('<model>', 'file that recurra train wrote')
    .option('--prompt <text>', 'the beginning of the text')
    .option('--prompt-file <file>', 'file whose whole text is the prompt; - for standard input');
  addFlags(generate, GENERATE)
    .option('--json', JSON_HELP)
    .action(async (model: string, flags: GenerateFlags) => done(await generateCommand(model, flags)));

  const serve = program
    .command('serve')
    .description('Serve a model over HTTP until Ctrl-C or SIGTERM; see docs/serving.md.')
    .argument('<model>', 'file that recurra train wrote');
  addFlags(serve, { ...SERVER, ...COMPUTE, recurrentWeights: LOADING.recurrentWeights, ...SERVING })
    .option('--json', `${JSON_HELP}, one for each request`)
    .action(async (model: string, flags: ServeFlags) => done(await serveCommand(model, flags)));

  const explain = program
    .command('explain')
    .description('Show what each token of a text contributed to a label: blue is evidence for it, red against it.')
    .argument('<model>', 'file that recurra train wrote')
    .argument('<text...>', 'the text, in quotes');
  addFlags(explain, EXPLAIN)
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nColours are used on a terminal; NO_COLOR=1 turns them off, FORCE_COLOR=1 on.')
    .action(async (model: string, texts: string[], flags: ExplainFlags) =>
      done(await explainCommand(model, texts, flags)),
    );

  const compare = labelledTextFlags(
    program
      .command('compare')
      .description('Measure two classifiers on the same rows: which one is better, and could the difference be chance?')
      .argument('<first>', 'model to compare with, such as the one in use')
      .argument('<second>', 'model that may be better')
      .argument('<file...>', 'files with a text and a label in each row (CSV, TSV, JSON lines, Parquet or fastText)'),
  );
  deviceFlag(addFlags(compare, COMPARE))
    .option('--json', JSON_HELP)
    .addHelpText('after', COLUMNS_HELP)
    .action(async (first: string, second: string, files: string[], flags: CompareFlags) =>
      done(await compareCommand(first, second, files, flags)),
    );

  const inspect = labelledTextFlags(
    program
      .command('inspect')
      .description('Inspect a file of texts before training: labels, lengths, languages, duplicates, doubtful labels.')
      .argument(
        '<file...>',
        'files of texts, with labels unless --text alone is given (CSV, TSV, JSON lines, Parquet or fastText)',
      ),
  );
  addMissingFlags(addFlags(inspect, INSPECT), DOUBT, '')
    .option('--against <file>', 'file of rows that a model will be measured on; finds texts that are in both files')
    .option('--all', 'show all rows of each finding, not only the first ones')
    .option('--labels', 'also find rows whose label is probably wrong, by cross-validation; this trains models')
    .option('--json', JSON_HELP)
    .action(async (files: string[], flags: InspectFlags) => done(await inspectCommand(files, flags)));

  const vectors = textFlags(
    program
      .command('vectors')
      .description('Learn word vectors from unlabelled texts, for a model to start from (recurra train --embeddings).')
      .argument('<file...>', 'files of texts in any format that train reads, or one text per line without --text')
      .requiredOption('--out <file>', 'file to write, such as own.vec'),
  );
  addFlags(vectors, LEARN_VECTORS)
    .option('--json', JSON_HELP)
    .action(async (files: string[], flags: VectorsFlags) => done(await vectorsCommand(files, flags)));

  program
    .command('doctor')
    .description('Show the state of this installation: versions, processor, libtorch, CUDA.')
    .option('--json', JSON_HELP)
    .action((flags: { json?: boolean }) => done(doctorCommand(flags)));
  exportCommands(program, done);
  launchCommands(program, done);
  compressCommands(program, done);
  reportCommands(program, done);
  libtorchCommands(program, done);
  giveOnce(program);
  adviseOnFlags(program);
  return program;
}
