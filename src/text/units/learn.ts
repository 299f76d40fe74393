import { Int32List } from '../../core/growable.js';
import { Turns } from '../../core/turns.js';
import { HuggingFaceTokenizer } from '../huggingFace.js';
import { Vocab } from '../vocab.js';
import { VocabBuilder } from '../vocabBuilder.js';
import { NamedUnits } from './named.js';
import { END_UNIT, UNKNOWN_UNIT, type UnitName } from './names.js';
import { PieceUnits } from './pieces.js';
import { BYTE_TOKENS, splitUnits } from './split.js';
import type { Units } from './units.js';

/** A part of a text; the text ends with it unless it `continues`. */
export interface Part {
  text: string;
  continues: boolean;
}

/** Texts as numbers: {@link END_UNIT} first and after each text. */
export interface UnitStream {
  units: Units;
  stream: Int32Array;
  /** Number of texts. */
  texts: number;
}

/** How units are chosen. */
export interface UnitChoice {
  units: UnitName | 'pieces' | HuggingFaceTokenizer;
  /** Most pieces, or most different characters or words. */
  maxUnits: number;
  /** Rarer characters and words are unknown. */
  minFreq: number;
}

const SPECIALS = { specials: [UNKNOWN_UNIT, END_UNIT], unkToken: UNKNOWN_UNIT, padToken: null } as const;

/** Units between two pauses. */
const TOGETHER = 4_096;

/**
 * Reads texts: what the units are, and the texts as numbers.
 *
 * @param known - Units that are there already, as those of a checkpoint.
 */
export async function readUnits(
  parts: AsyncIterable<Part>,
  choice: UnitChoice,
  known: Units | undefined,
  signal: AbortSignal | undefined,
): Promise<UnitStream> {
  const turns = new Turns(signal, undefined, 'the reading of the texts');
  if (known) return encoded(parts, known, turns);
  const { units } = choice;
  if (units === 'bytes') return encoded(parts, new NamedUnits(units, Vocab.fromTokens(BYTE_TOKENS, SPECIALS)), turns);
  if (units instanceof HuggingFaceTokenizer) return encoded(parts, await pieces(units, turns), turns);
  if (units === 'pieces') {
    const texts = await whole(parts, turns);
    const tokenizer = await HuggingFaceTokenizer.learn(
      texts.map(({ text }) => text),
      choice.maxUnits,
    );
    return encoded(texts, await pieces(tokenizer, turns), turns);
  }
  return counted(parts, units, choice, turns);
}

/** The units of a tokenizer. */
export async function pieces(tokenizer: HuggingFaceTokenizer, turns: Turns): Promise<Units> {
  return new PieceUnits(tokenizer, await turns.run(PieceUnits.vocabulary(tokenizer)));
}

/** Texts, each in one piece: what a tokenizer makes of a text may depend on all of it. */
async function whole(parts: AsyncIterable<Part> | readonly Part[], turns: Turns): Promise<Part[]> {
  const texts: Part[] = [];
  let held: string[] = [];
  for await (const { text, continues } of parts) {
    held.push(text);
    if (!continues) {
      texts.push({ text: held.join(''), continues: false });
      held = [];
    }
    if (turns.due) await turns.next();
  }
  if (held.length > 0) texts.push({ text: held.join(''), continues: false });
  return texts;
}

async function encoded(parts: AsyncIterable<Part> | readonly Part[], units: Units, turns: Turns): Promise<UnitStream> {
  const stream = new Int32List();
  const given = units.tokenizer || units.name === 'words' ? await whole(parts, turns) : parts;
  stream.push(units.end);
  let texts = 0;
  for await (const { text, continues } of given) {
    stream.pushAll(await units.encode(text, turns));
    if (!continues) {
      stream.push(units.end);
      texts++;
    }
    if (turns.due) await turns.next();
  }
  return { units, texts, stream: await turns.run(stream.finish()) };
}

/** Characters or words: counted and numbered at the same time, and renumbered at the end. */
async function counted(
  parts: AsyncIterable<Part>,
  name: 'characters' | 'words',
  { maxUnits, minFreq }: UnitChoice,
  turns: Turns,
): Promise<UnitStream> {
  const builder = new VocabBuilder();
  const stream = new Int32List();
  const end = builder.intern(END_UNIT);
  stream.push(end);
  let texts = 0;
  let count = 0;
  const given = name === 'words' ? await whole(parts, turns) : parts;
  for await (const { text, continues } of given) {
    for (const unit of splitUnits(name, text)) {
      stream.push(builder.intern(unit));
      if (++count % TOGETHER === 0 && turns.due) await turns.next();
    }
    if (!continues) {
      stream.push(end);
      texts++;
    }
    if (turns.due) await turns.next();
  }
  const { vocab, indices } = await turns.run(builder.buildInSteps({ ...SPECIALS, minFreq, maxTokens: maxUnits }));
  const unknown = vocab.get(UNKNOWN_UNIT);
  const map = indices.map((index) => (index < 0 ? unknown : index));
  return { units: new NamedUnits(name, vocab), texts, stream: await turns.run(stream.finish(map)) };
}
