import { Turns } from '../../core/turns.js';
import { HuggingFaceTokenizer } from '../huggingFace.js';
import { Vocab } from '../vocab.js';
import { VocabBuilder } from '../vocabBuilder.js';
import { NamedUnits } from './named.js';
import { END_UNIT, UNKNOWN_UNIT, type UnitName } from './names.js';
import { PieceUnits } from './pieces.js';
import { BYTE_TOKENS, splitUnits } from './split.js';
import { type UnitText, UnitWriter } from './text.js';
import type { Units } from './units.js';

/** A part of a text; the text ends with it unless it `continues`. */
export interface Part {
  text: string;
  continues: boolean;
}

/** Texts as numbers: {@link END_UNIT} first and after each text. */
export interface UnitStream {
  units: Units;
  stream: UnitText;
  /** Number of texts. */
  texts: number;
}

/** Options of choosing units. */
export interface UnitChoice {
  units: UnitName | 'pieces' | HuggingFaceTokenizer;
  /** Maximum pieces, or maximum distinct characters or words. */
  maxUnits: number;
  /** Rarer characters and words are unknown. */
  minFreq: number;
  /** Units kept in memory; more are stored in a temporary file. */
  memoryUnits: number;
}

/** The special units of every vocabulary. */
export const SPECIALS = { specials: [UNKNOWN_UNIT, END_UNIT], unkToken: UNKNOWN_UNIT, padToken: null } as const;

/** Units between two pauses. */
const TOGETHER = 4_096;

/**
 * Reads texts; returns the units, and the texts as numbers.
 *
 * @param known - Existing units, such as those of a checkpoint.
 */
export async function readUnits(
  parts: AsyncIterable<Part>,
  choice: UnitChoice,
  known: Units | undefined,
  signal: AbortSignal | undefined,
): Promise<UnitStream> {
  const turns = new Turns(signal, undefined, 'the reading of the texts');
  const writer = new UnitWriter(choice.memoryUnits);
  try {
    return await readInto(writer, parts, choice, known, turns);
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function readInto(
  writer: UnitWriter,
  parts: AsyncIterable<Part>,
  choice: UnitChoice,
  known: Units | undefined,
  turns: Turns,
): Promise<UnitStream> {
  if (known) return encoded(writer, parts, known, turns);
  const { units } = choice;
  if (units === 'bytes')
    return encoded(writer, parts, new NamedUnits(units, Vocab.fromTokens(BYTE_TOKENS, SPECIALS)), turns);
  if (units instanceof HuggingFaceTokenizer) return encoded(writer, parts, await pieces(units, turns), turns);
  if (units === 'pieces') {
    const texts: Part[] = [];
    for await (const text of whole(parts, turns)) texts.push(text);
    const tokenizer = await HuggingFaceTokenizer.learn(
      texts.map(({ text }) => text),
      choice.maxUnits,
    );
    return encoded(writer, texts, await pieces(tokenizer, turns), turns);
  }
  return counted(writer, parts, units, choice, turns);
}

/** The units of a tokenizer. */
export async function pieces(tokenizer: HuggingFaceTokenizer, turns: Turns): Promise<Units> {
  return new PieceUnits(tokenizer, await turns.run(PieceUnits.vocabulary(tokenizer)));
}

/** Texts, each in one piece, since a tokenizer may depend on the whole text. */
async function* whole(parts: AsyncIterable<Part> | readonly Part[], turns: Turns): AsyncGenerator<Part> {
  let held: string[] = [];
  for await (const { text, continues } of parts) {
    held.push(text);
    if (!continues) {
      yield { text: held.join(''), continues: false };
      held = [];
    }
    if (turns.due) await turns.next();
  }
  if (held.length > 0) yield { text: held.join(''), continues: false };
}

/** The first half of a character that takes two UTF-16 units, at an end. */
const HALF_CHARACTER = /[\ud800-\udbff]$/;

/** Texts in parts that end after complete characters: a part may have been cut within one. */
async function* wholeCharacters(parts: AsyncIterable<Part> | readonly Part[]): AsyncGenerator<Part> {
  let held = '';
  for await (const { text, continues } of parts) {
    const all = held + text;
    const cut = continues && HALF_CHARACTER.test(all.slice(-1)) ? all.length - 1 : all.length;
    held = all.slice(cut);
    yield { text: all.slice(0, cut), continues };
  }
  if (held !== '') yield { text: held, continues: false };
}

/** The last blank that is not at the beginning: no unit continues after it. */
const LAST_BLANK = /\S(?=\s+\S*$)/u;

/** Texts in parts that end before a blank, so that they have the same words as the whole text. */
async function* wholeWords(parts: AsyncIterable<Part> | readonly Part[]): AsyncGenerator<Part> {
  let held = '';
  for await (const { text, continues } of parts) {
    const all = held + text;
    const cut = continues ? lastBlank(all) : all.length;
    held = all.slice(cut);
    if (cut > 0 || !continues) yield { text: all.slice(0, cut), continues };
  }
  if (held !== '') yield { text: held, continues: false };
}

/** Where the last run of blanks begins that something follows; 0 if there is none behind something else. */
function lastBlank(text: string): number {
  // Looked for from the end, in parts, since a text may be long.
  for (let size = 256; ; size *= 4) {
    const from = Math.max(0, text.length - size);
    const found = LAST_BLANK.exec(text.slice(from));
    if (found) return from + found.index + found[0].length;
    if (from === 0) return 0;
  }
}

async function encoded(
  stream: UnitWriter,
  parts: AsyncIterable<Part> | readonly Part[],
  units: Units,
  turns: Turns,
): Promise<UnitStream> {
  const given = units.tokenizer
    ? whole(parts, turns)
    : units.name === 'words'
      ? wholeWords(parts)
      : wholeCharacters(parts);
  stream.push(units.end);
  let texts = 0;
  for await (const { text, continues } of given) {
    stream.pushAll(await units.encode(text, turns));
    if (!continues) {
      stream.push(units.end);
      texts++;
    }
    await stream.settle(turns);
    if (turns.due) await turns.next();
  }
  return { units, texts, stream: await stream.finish(turns) };
}

/** Characters or words: counted and numbered at the same time, and renumbered at the end. */
async function counted(
  stream: UnitWriter,
  parts: AsyncIterable<Part>,
  name: 'characters' | 'words',
  { maxUnits, minFreq }: UnitChoice,
  turns: Turns,
): Promise<UnitStream> {
  const builder = new VocabBuilder();
  const end = builder.intern(END_UNIT);
  stream.push(end);
  let texts = 0;
  let count = 0;
  const given = name === 'words' ? wholeWords(parts) : wholeCharacters(parts);
  for await (const { text, continues } of given) {
    for (const unit of splitUnits(name, text)) {
      stream.push(builder.intern(unit));
      if (++count % TOGETHER === 0 && turns.due) await turns.next();
    }
    if (!continues) {
      stream.push(end);
      texts++;
    }
    await stream.settle(turns);
    if (turns.due) await turns.next();
  }
  const { vocab, indices } = await turns.run(builder.buildInSteps({ ...SPECIALS, minFreq, maxTokens: maxUnits }));
  const unknown = vocab.get(UNKNOWN_UNIT);
  const map = indices.map((index) => (index < 0 ? unknown : index));
  return { units: new NamedUnits(name, vocab), texts, stream: await stream.finish(turns, map) };
}
