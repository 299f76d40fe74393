import { constraint, DataError, invalidArgument } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import type { TextPart } from '../../data/readers/wholeText.js';
import { type Part, readUnits, type UnitStream, type Units, type UnitText } from '../../text/units/index.js';
import type { TrainingData } from '../../training/task.js';
import type { LanguageSettings, LanguageTexts } from './options.js';
import { Streams } from './streams.js';

/** Units counted between two pauses. */
const COUNTED = 4_096;

/** Held-out units and how they are measured. */
export class HeldUnits {
  /** The first is context only. */
  readonly units: UnitText;
  /** Characters (code points) of the others. */
  readonly characters: number;

  constructor(units: UnitText, characters: number) {
    this.units = units;
    this.characters = characters;
  }

  get length(): number {
    return this.units.length - 1;
  }

  lengths(): Int32Array {
    return Int32Array.of(this.length);
  }
}

/** The training data of a language model. */
export interface LanguageData extends TrainingData {
  train: Streams;
  validation: HeldUnits | undefined;
  units: Units;
  /** Number of texts. */
  texts: number;
  /** Frees the units. */
  close(): Promise<void>;
}

/** Texts in parts, checked. */
export async function* partsOf(texts: LanguageTexts): AsyncGenerator<Part, void, undefined> {
  let row = 0;
  for await (const given of texts) {
    const { text, continues = false } = typeof given === 'string' ? { text: given } : ((given ?? {}) as TextPart);
    if (typeof text !== 'string') {
      if (texts.file !== undefined) throw new DataError('INVALID_ROW', `row ${row} has no text`, { file: texts.file });
      throw invalidArgument(`texts[${row}]`, 'a string, or an object with a text', given);
    }
    yield { text, continues };
    row++;
  }
}

/** Reads texts for a training. */
export async function prepareLanguage(
  texts: LanguageTexts,
  settings: LanguageSettings,
  signal: AbortSignal,
): Promise<LanguageData> {
  const { units: name, validation, memoryUnits, text } = settings;
  const { tokenizer, maxTokens, minFreq } = text;
  const choice = {
    units: typeof tokenizer === 'object' ? (tokenizer as never) : name,
    maxUnits: maxTokens,
    minFreq,
    memoryUnits,
  };
  const read = await readUnits(partsOf(texts), choice, undefined, signal);
  const open = [read.stream];
  const close = async () => {
    for (const stream of open) await stream.close();
  };
  try {
    const own =
      typeof validation === 'object' ? await readUnits(partsOf(validation), choice, read.units, signal) : undefined;
    if (own) open.push(own.stream);
    return { ...(await checked(read, own?.stream, texts, settings)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Splits the units into training and validation. */
async function checked(
  read: UnitStream,
  own: UnitText | undefined,
  texts: LanguageTexts,
  { text, window, batchSize = 1, validation }: LanguageSettings,
): Promise<Omit<LanguageData, 'close'>> {
  const { units, stream } = read;
  const { minFreq } = text;
  const cut = typeof validation === 'number' ? Math.floor(stream.length * (1 - validation)) : stream.length;
  const trained = stream.slice(0, cut);
  const held = own ?? (cut < stream.length ? stream.slice(cut - 1) : undefined);
  const position = { file: texts.file };
  // The end of each text is also a unit, and one comes first.
  if (stream.length <= read.texts + 1) throw new DataError('EMPTY_DATASET', 'the texts have no characters', position);
  if (trained.length <= window) {
    const message = `the texts have ${trained.length - 1} units to train on; expected at least window, ${window}: give more text, or a smaller window`;
    throw new DataError('EMPTY_DATASET', message, position);
  }
  // The two special units are always there; bytes and pieces are never too rare.
  if (units.vocab.length <= 2)
    throw constraint('minFreq', `minFreq ${minFreq} leaves no unit: none occurs that often; give a smaller number`);
  if (held) {
    const file = typeof validation === 'object' ? validation.file : texts.file;
    await checkCharacters(held, units, 'the validation texts have no characters', file);
  }
  return {
    vocab: units.vocab,
    units,
    texts: read.texts,
    train: new Streams(trained, batchSize, window),
    validation: held && new HeldUnits(held, await charactersOf(units, held.slice(1))),
  };
}

/**
 * Refuses texts without characters, of which only the ends would be measured.
 *
 * @param stream - Units; the first is context only.
 * @throws {@link DataError} `EMPTY_DATASET`.
 */
export async function checkCharacters(
  stream: UnitText,
  { end }: Units,
  message: string,
  file: string | undefined,
): Promise<void> {
  for await (const part of stream.slice(1).parts()) if (part.some((unit) => unit !== end)) return;
  throw new DataError('EMPTY_DATASET', message, { file });
}

/** Characters (code points) of the text of some units; an unknown one counts as one. */
export async function charactersOf(units: Units, numbers: UnitText): Promise<number> {
  const decoder = units.decoder();
  const turns = new Turns();
  let characters = 0;
  for await (const part of numbers.parts(COUNTED)) {
    for (const unit of part) {
      if (unit === units.vocab.defaultIndex) characters++;
      else for (const _ of decoder.push(unit)) characters++;
    }
    if (turns.due) await turns.next();
  }
  return characters;
}
