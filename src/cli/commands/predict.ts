import { constraint } from '../../core/errors.js';
import { printable, shownLabels } from '../../core/printable.js';
import { jsonLine } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import type { Prediction } from '../../models/classifier/prediction.js';
import { TRANSLATE } from '../../models/seq2seq/prediction.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { EXIT } from '../output.js';
import { givenTextFlags, refuseFlags, type TextFlags } from '../rows.js';
import { loadModel } from '../tasks.js';
import { predictPairs } from './predictPairs.js';
import { predictTags } from './predictTags.js';
import { answerTexts, BLOCK, onOneLine } from './textBlocks.js';

/** Flags of `recurra predict`. */
export interface PredictFlags extends TextFlags, DeviceFlag {
  file?: string;
  topK?: number;
  json?: boolean;
}

/** Labels of a text that are shown, unless the flag says otherwise. */
const TOP_K = 3;

/** Labels with their probabilities that are held at once. */
const CLASSES = 1 << 17;

/** How predictions are shown. */
interface Display {
  json: boolean;
  /** Whether a text may have any number of labels: a star is put before those that it is given. */
  multiLabel: boolean;
  topK: number;
  /** How each label is shown. */
  shown: ReadonlyMap<string, string>;
}

function show(
  { text, line }: UnlabelledText,
  prediction: Prediction,
  { json, multiLabel, topK, shown }: Display,
): void {
  if (json) {
    // Rows may have been left out: the line says which one this is.
    jsonLine({ event: 'prediction', text, ...(line === undefined ? {} : { line }), ...prediction });
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
    prediction.knownTokens === 0 ? '   (no known word: the distribution says nothing about this text)' : '';
  process.stdout.write(`${classes.join('  ')}\t${printable(onOneLine(text))}${unknown}\n`);
}

/** Refuses flags that texts given as arguments leave without a use. */
function checkTexts(texts: readonly string[], flags: PredictFlags): void {
  if (texts.length === 0) return;
  const [useless] = flags.file === undefined ? givenTextFlags(flags) : ['--file'];
  if (useless === undefined) return;
  throw constraint('texts', `Texts as arguments and ${useless} exclude each other: give the texts, or a file of them`);
}

/** `recurra predict`: labels texts from the arguments, a file, or standard input. */
export async function predictCommand(modelFile: string, texts: string[], flags: PredictFlags): Promise<number> {
  checkTexts(texts, flags);
  const model = await loadModel('predict', modelFile, deviceOption(flags));
  if (model instanceof Seq2Seq) {
    if (flags.topK !== undefined)
      throw constraint('topK', '--top-k does not apply to a model of pairs; --n-best lists answers');
    return predictPairs(model, texts, flags);
  }
  refuseFlags(flags, TRANSLATE, [], model instanceof TextTagger ? 'a tagger' : 'a classifier');
  if (model instanceof TextTagger) {
    if (flags.topK !== undefined)
      throw constraint('topK', `--top-k does not apply to a tagger, which gives each token one tag`);
    return predictTags(model, texts, flags);
  }
  const { multiLabel } = model.settings;
  const names = shownLabels(model.labels);
  const shown = new Map(model.labels.map((label, index) => [label, names[index]!]));
  const display = {
    json: flags.json === true,
    multiLabel,
    topK: Math.min(flags.topK ?? TOP_K, model.labels.length),
    shown,
  };
  // The labels that a text is given need not be the most probable ones: each has a threshold of its own.
  const options = { topK: multiLabel && !display.json ? model.labels.length : display.topK };
  const { file = texts.length > 0 ? undefined : '-' } = flags;
  const size = Math.max(1, Math.min(BLOCK, Math.floor(CLASSES / options.topK)));
  await answerTexts(
    texts,
    file,
    flags,
    (block) => model.predictMany(block, options),
    (row, prediction) => show(row, prediction, display),
    size,
  );
  return EXIT.ok;
}
