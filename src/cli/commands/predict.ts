import { statSync } from 'node:fs';
import { constraint } from '../../core/errors.js';
import { printable, shownLabels } from '../../core/printable.js';
import { jsonLine, note } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import type { Prediction } from '../../models/classifier/prediction.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { blockOf, cautionOf, checkAnswerFlags, noteFewRows, placeOf, TOP_K, withSource } from '../answering.js';
import { loadOptions } from '../device.js';
import { EXIT } from '../output.js';
import { givenTextFlags } from '../rows.js';
import { loadModel } from '../tasks.js';
import { checkWithoutOut, type FilesFlags, predictFiles } from './predictFiles.js';
import { checkFilterFlags, type FilterFlags, predictFilter } from './predictFilter.js';
import { predictPairs } from './predictPairs.js';
import { checkTableFlags, predictTable, type TableFlags, tableEnding } from './predictTable.js';
import { predictTags } from './predictTags.js';
import { answerTexts, onOneLine } from './textBlocks.js';

/** Flags of `recurra predict`. */
export interface PredictFlags extends FilesFlags, FilterFlags, TableFlags {}

/** How to show predictions. */
interface Display {
  json: boolean;
  /** Whether a text may have any number of labels; assigned labels are then marked with a star. */
  multiLabel: boolean;
  topK: number;
  /** The printable form of each label. */
  shown: ReadonlyMap<string, string>;
}

function show(
  row: UnlabelledText,
  prediction: Prediction<string | null>,
  { json, multiLabel, topK, shown }: Display,
): void {
  const { text } = row;
  if (json) {
    jsonLine({ event: 'prediction', text, ...placeOf(row), ...prediction });
    return;
  }
  const given = new Set(multiLabel ? prediction.labels : []);
  const classes = prediction.classes
    .filter(({ label }, rank) => rank < topK || given.has(label))
    .map(
      ({ label, probability }) =>
        `${given.has(label) ? '*' : ''}${shown.get(label)} ${(100 * probability).toFixed(1)} %`,
    );
  const unknown =
    prediction.knownTokens === 0 ? '   (no known word: the probabilities say nothing about this text)' : '';
  process.stdout.write(
    `${prediction.outOfScope ? 'out of scope: ' : ''}${prediction.label === null ? 'unsure: ' : ''}${classes.join('  ')}\t${printable(onOneLine(text))}${unknown}\n`,
  );
}

/** Refuses flags that do not apply to texts given as arguments. */
function checkTexts(texts: readonly string[], flags: PredictFlags): void {
  if (texts.length === 0) return;
  const [useless] = flags.file === undefined ? givenTextFlags(flags) : ['--file'];
  if (useless === undefined) return;
  throw constraint('texts', `Texts as arguments and ${useless} exclude each other: give the texts, or a file of them`);
}

/** Says if a text is the name of a file, which may have been meant. */
function noteFiles(texts: readonly string[]): void {
  const file = texts.find((text) => {
    try {
      return statSync(text, { throwIfNoEntry: false })?.isFile();
    } catch {
      // Too long for a name, or with a NUL: a text.
      return false;
    }
  });
  if (file !== undefined)
    note(
      `recurra: warning: ${JSON.stringify(file)} is read as a text, and it is also a file: did you mean --file ${file}?`,
    );
}

/** `recurra predict`: labels texts from the arguments, a file, or standard input; many files with `--out`, a pipe with `--filter`. */
export async function predictCommand(modelFile: string, texts: string[], given: PredictFlags): Promise<number> {
  const flags = withSource(given);
  checkFilterFlags(texts, flags);
  checkTableFlags(texts, flags);
  const toFile = flags.out !== undefined && tableEnding(flags.out) !== undefined;
  if (flags.out !== undefined && !toFile) return predictFiles(modelFile, texts, flags);
  checkWithoutOut(flags);
  if (!toFile) {
    checkTexts(texts, flags);
    noteFiles(texts);
  }
  const model = await loadModel('predict', modelFile, loadOptions(flags));
  checkAnswerFlags(model, flags);
  noteFewRows(model, flags.precision);
  if (toFile || flags.csv) return predictTable(model, modelFile, texts, flags);
  if (flags.filter) return predictFilter(model, flags);
  if (model instanceof Seq2Seq) return predictPairs(model, texts, flags);
  if (model instanceof TextTagger) return predictTags(model, texts, flags);
  const { multiLabel } = model.settings;
  const names = shownLabels(model.labels);
  const shown = new Map(model.labels.map((label, index) => [label, names[index]!]));
  const display = {
    json: flags.json === true,
    multiLabel,
    topK: Math.min(flags.topK ?? TOP_K, model.labels.length),
    shown,
  };
  // Assigned labels need not be the most probable ones: each label has its own threshold.
  const options = {
    topK: multiLabel && !display.json ? model.labels.length : display.topK,
    ...cautionOf(flags),
  };
  const { file = texts.length > 0 ? undefined : '-' } = flags;
  await answerTexts(
    model,
    texts,
    file,
    flags,
    (block) => model.predictMany(block, options),
    (row, prediction) => show(row, prediction, display),
    blockOf(options.topK),
  );
  return EXIT.ok;
}
