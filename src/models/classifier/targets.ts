import { constraint, DataError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import { Turns } from '../../core/turns.js';
import { noRows, type Rows } from '../../data/readers/rows.js';
import { collect, encodeDataset } from '../../data/sets/encode.js';
import { EncodedDataset } from '../../data/sets/encoded.js';
import { sameTexts, textsIn } from '../../data/sets/groups.js';
import { splitSteps } from '../../data/sets/split.js';
import { LinearTexts } from '../../engine/linear.js';
import { recounted } from '../../text/counting.js';
import type { TextSettings } from '../../text/options.js';
import { modelTokenizer } from '../../text/reading.js';
import type { Vocab } from '../../text/vocab.js';
import type { FirstWords, VectorSource } from '../../training/firstWords.js';
import type { Watcher } from '../../training/task.js';
import { checkVocabulary, vocabularyRoom } from '../vocabularyRoom.js';
import { type TrainedExpert, tapped, trainExpert } from './linear.js';
import type { TrainSettings } from './options.js';
import { RowGroups } from './rowGroups.js';
import { warnOfOptions, warnOfReading, warnOfRows } from './rowHints.js';
import { checkSomeValidation, validationWarning } from './validationRows.js';

/** The data of a classifier's training. */
export interface ClassifierData {
  train: EncodedDataset;
  validation: EncodedDataset | undefined;
  vocab: Vocab;
  /** Source of the initial word vectors; undefined for random ones. */
  vectors: VectorSource | undefined;
  /** The linear model, if there is one. */
  expert: TrainedExpert | undefined;
}

/** The encoded rows; if validation rows were split off, also the indices of both parts. */
interface Encoded extends Omit<ClassifierData, 'expert' | 'vectors'> {
  rows?: { train: Int32Array; test: Int32Array };
}

/**
 * Additional words of the vocabulary besides those of the training rows, and the texts of all rows if vectors are
 * learned from them.
 */
interface Beside {
  words: FirstWords;
  texts: string[];
  /** The groups of the rows, if they are asked for. */
  groups?: RowGroups | undefined;
}

/** Index of the first word after the specials `<unk>` and `<pad>`. */
const FIRST_WORD = 2;

/** Refuses data that nothing can be learned from. */
function checkTrainable(dataset: EncodedDataset, hasWords: boolean, rows: Rows): void {
  const { file } = rows;
  if (dataset.length === 0) {
    throw noRows('there are no rows to train on; expected rows with a text and a label', rows);
  }
  if (!hasWords) {
    const message = 'no text has a word to learn from: all are empty';
    throw new DataError('EMPTY_DATASET', message, { file });
  }
  if (dataset.multiLabel) {
    if (dataset.classes.length > 0) return;
    throw new DataError('SINGLE_CLASS', 'no row has a label; a classifier needs at least one', { file });
  }
  if (dataset.classes.length < 2) {
    const only = JSON.stringify(dataset.classes[0]);
    throw new DataError('SINGLE_CLASS', `every row has the label ${only}; a classifier needs at least two`, { file });
  }
}

/** Refuses a `minFreq` that leaves the network no word. With `maxTokens` a vocabulary without words is what the caller asked for. */
function checkWords(vocab: Vocab, { minFreq, maxTokens }: TextSettings): void {
  if (vocab.length > FIRST_WORD || minFreq <= 1 || (maxTokens !== undefined && maxTokens <= FIRST_WORD)) return;
  throw constraint(
    'minFreq',
    `minFreq ${minFreq} leaves no word: no token occurs that often in the training rows; give a smaller number`,
  );
}

/**
 * Splits off the validation rows, and rebuilds the vocabulary from the others only: a word that only validation rows
 * have must be unknown to the model, as it will be in production.
 */
async function splitOff(
  dataset: EncodedDataset,
  vocab: Vocab,
  fraction: number,
  { seed, text, wholeTexts }: TrainSettings,
  beside: Beside,
  turns: Turns,
): Promise<Encoded> {
  const groups = beside.groups && (await turns.run(beside.groups.finish()));
  // Accuracy on a text that was learned says little about others.
  const same = groups || !wholeTexts ? undefined : await sameTexts(dataset, (row) => dataset.labelsOf(row), turns);
  const splitting = { fraction, random: new Random(seed), ...(groups && { groups }), same };
  const { train, test } = await turns.run(splitSteps(dataset, splitting));
  await turns.next();
  const training = dataset.subset(train);
  await turns.next();
  const counts = new Uint32Array(vocab.length);
  for (const id of training.tokens) counts[id]!++;
  await turns.next();
  const { minFreq, maxTokens } = text;
  const words = { minFreq, maxTokens };
  const { vocab: smaller, indices } = await recounted(vocab, counts, words, turns);
  await turns.next();
  const texts = beside.words.learns ? Array.from(train, (row) => beside.texts[row]!) : [];
  const all = await beside.words.extend(smaller, text, texts);
  await turns.next();
  const map = indices.map((index) => (index < 0 ? smaller.defaultIndex! : index));
  const remapped = (part: EncodedDataset, map: Int32Array) =>
    new EncodedDataset({
      tokens: part.tokens.map((id) => map[id]!),
      offsets: part.offsets,
      labels: part.labels,
      labelOffsets: part.labelOffsets,
      classes: part.classes,
    });
  await turns.next();
  const parts = { train: remapped(training, map), vocab: all };
  await turns.next();
  // A word that no training row has may be one of the additional words.
  if (all !== smaller) {
    const { itos } = vocab;
    for (let id = 0; id < map.length; id++) {
      if (indices[id]! < 0) map[id] = all.get(itos[id]!);
      if (turns.due) await turns.next();
    }
  }
  const validation = remapped(dataset.subset(test), map);
  // Building the model comes next; it gets its own turn.
  await turns.next();
  return { ...parts, validation, rows: { train, test } };
}

/**
 * Reads, tokenizes and encodes everything that a training needs, and trains the linear model if requested, yielding to
 * the event loop.
 *
 * @param watcher - Receives the linear model's progress, the reason if it is missing, and warnings about too few
 * validation rows.
 * @param words - Additional words of the vocabulary besides those of the training rows.
 * @throws {@link DataError} for invalid rows, no rows, one class only, validation labels that training does not have, or a
 * vocabulary too large for a model file.
 */
export async function prepareData(
  rows: Rows,
  settings: TrainSettings,
  signal: AbortSignal,
  watcher: Watcher,
  words: FirstWords,
): Promise<ClassifierData> {
  const { validation, linear } = settings;
  const beside: Beside = { words, texts: [] };
  const texted = words.learns ? tapped(rows, { add: (text) => beside.texts.push(text) }) : rows;
  if (typeof validation === 'number') beside.groups = new RowGroups(rows);
  const { groups } = beside;
  const read = groups ? tapped(texted, { add: (_, row) => groups.add(row) }) : texted;
  const vectors = words.given;
  if (!linear)
    return { ...(await encode(read, validation, settings, beside, signal, watcher)), vectors, expert: undefined };
  const texts = new LinearTexts();
  const ofValidation = validation === undefined || typeof validation === 'number' ? undefined : new LinearTexts();
  const measured = ofValidation ? tapped(validation as Rows, ofValidation) : validation;
  const { rows: split, ...data } = await encode(tapped(read, texts), measured, settings, beside, signal, watcher);
  const held = ofValidation ? { texts: ofValidation, rows: undefined } : split && { texts, rows: split.test };
  const expert = await trainExpert(data.train, { texts, rows: split?.train }, held, settings, signal, watcher);
  return { ...data, vectors, expert };
}

/** Reads, tokenizes and encodes the rows. */
async function encode(
  rows: Rows,
  validation: TrainSettings['validation'],
  settings: TrainSettings,
  beside: Beside,
  signal: AbortSignal,
  watcher: Watcher,
): Promise<Encoded> {
  const {
    text,
    model: { multiLabel },
  } = settings;
  const tokenizer = modelTokenizer(text);
  const byShare = typeof validation === 'number';
  const { minFreq, maxTokens } = byShare ? { minFreq: 1, maxTokens: undefined } : text;
  const { dataset, vocab } = await collect(rows, {
    tokenizer,
    minFreq,
    multiLabel,
    signal,
    ...(maxTokens === undefined ? {} : { maxTokens }),
  });
  // With these options a vocabulary without words is what the caller asked for.
  const chosen = minFreq > 1 || text.maxTokens <= FIRST_WORD;
  checkTrainable(dataset, chosen || vocab.length > FIRST_WORD, rows);
  warnOfRows(rows, dataset, watcher);
  warnOfOptions(settings, watcher);
  const turns = new Turns(signal);
  const data: Encoded = byShare
    ? await splitOff(dataset, vocab, validation, settings, beside, turns)
    : { train: dataset, validation: undefined, vocab: await beside.words.extend(vocab, text, beside.texts) };
  await turns.run(checkVocabulary(data.vocab, vocabularyRoom(text.tokenizer)));
  if (settings.recurrent !== false) checkWords(data.vocab, text);
  if (validation !== undefined && !byShare) {
    data.validation = await encodeDataset(validation, {
      tokenizer,
      vocab: data.vocab,
      classes: dataset.classes,
      multiLabel,
      signal,
    });
    warnOfReading(validation, watcher);
  }
  if (!data.validation) return data;
  const share = byShare ? validation : undefined;
  const { file } = share === undefined ? (validation as Rows) : rows;
  checkSomeValidation(data.validation, data.train, share, file, beside.groups?.some === true);
  const repeated = await textsIn(data.validation, data.train, data.vocab.defaultIndex!, turns);
  const warning = validationWarning(data.validation, data.train, repeated, byShare);
  if (warning) watcher.warn('validation', warning);
  return data;
}
