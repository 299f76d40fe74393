import { constraint, DataError } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { Random } from '../../core/random.js';
import { Turns } from '../../core/turns.js';
import { noRows } from '../../data/readers/rows.js';
import { sameTexts } from '../../data/sets/groups.js';
import { splitSteps } from '../../data/sets/split.js';
import { formsOf } from '../../text/forms.js';
import type { TextSettings } from '../../text/options.js';
import { SchemeDetector } from '../../text/tags/scheme.js';
import type { Tag } from '../../text/tags/tag.js';
import type { Vocab } from '../../text/vocab.js';
import { VocabBuilder } from '../../text/vocabBuilder.js';
import type { FirstWords } from '../../training/firstWords.js';
import type { Watcher } from '../../training/task.js';
import { checkVocabulary, vocabularyRoom } from '../vocabularyRoom.js';
import {
  type Collecting,
  checkTags,
  collectSentences,
  Names,
  type NumberedSentences,
  parsedTags,
  placeOf,
  schemeOf,
  sentencePosition,
} from './collect.js';
import { TagDataset } from './dataset.js';
import { MOST_CRF_TAGS } from './network.js';
import type { TaggerTrainSettings } from './options.js';
import type { TagRows } from './rows.js';
import { TagCollector, type TagSet } from './tagSet.js';
import { atOnce, placedTokens } from './tokenizer.js';
import { wordOf } from './words.js';

/** The data of a tagger's training. */
export interface TaggerData {
  train: TagDataset;
  validation: TagDataset | undefined;
  vocab: Vocab;
  set: TagSet;
  /** All tokens as text, by form number; empty if the network does not read characters. */
  spelled: readonly string[];
}

/** The indices of some of the numbered sentences. */
type Part = Int32Array | undefined;

/** With fewer validation sentences, one changes the figures by more than epochs differ. */
const FEW = 20;

/**
 * Reads everything that a training needs, yielding to the event loop.
 *
 * @param watcher - Receives warnings about rows that were read differently from how they are written, and about too few
 * validation rows.
 * @param words - Additional words of the vocabulary besides those of the training rows.
 * @throws {@link DataError} for invalid rows, no rows, one tag only, or validation labels that training does not have.
 */
export async function prepareTags(
  rows: TagRows,
  settings: TaggerTrainSettings,
  signal: AbortSignal,
  watcher: Watcher,
  words: FirstWords,
): Promise<TaggerData> {
  const { validation, splits, splitTokens, text } = settings;
  const { maxLength } = text;
  const turns = new Turns(signal);
  const names = new Names();
  const collecting: Collecting = { names, turns, watcher, maxLength, splits, splitTokens, keepTexts: words.learns };
  const detector = new SchemeDetector();
  const all = await collectSentences(rows, collecting, detector);
  if (all.offsets.length < 2) throw noRows('there are no rows to train on; expected rows with tokens and tags', rows);
  const scheme = schemeOf(all, names.tags, detector, settings.scheme, watcher);
  await checkTags(all, names.tags, scheme, watcher, turns);
  const given =
    validation === undefined || typeof validation === 'number'
      ? undefined
      : await collectSentences(validation, { ...collecting, keepTexts: false });
  if (given) await checkTags(given, names.tags, scheme, watcher, turns);
  const parsed = parsedTags(names.tags);
  const tagsOf = (from: NumberedSentences, sentence: number): Tag[] | string[] => {
    const numbers = from.tags.subarray(from.offsets[sentence], from.offsets[sentence + 1]);
    if (scheme === undefined) return Array.from(numbers, (tag) => tagNames[tag]!);
    return Array.from(numbers, (tag) => parsed[tag]!);
  };
  const tagNames = names.tags;
  const parts: { train: Part; test: Part } =
    typeof validation === 'number'
      ? await split(all, parsed, validation, settings, turns)
      : { train: undefined, test: undefined };
  const collector = new TagCollector(scheme);
  for (const sentence of sentencesOf(all, parts.train)) {
    collector.add(tagsOf(all, sentence));
    if (turns.due) await turns.next();
  }
  const set = collector.finish();
  if (set.tags.length < 2) {
    const message = `every token has the tag ${JSON.stringify(set.tags[0])}; a tagger needs at least two tags`;
    throw new DataError('SINGLE_CLASS', message, { file: rows.file });
  }
  if (settings.model.decoder === 'crf' && set.tags.length > MOST_CRF_TAGS) {
    const message = `the rows have ${set.tags.length} tags, but decoder 'crf', which compares all pairs, supports at most ${MOST_CRF_TAGS}; give decoder: 'softmax' (--decoder softmax)`;
    throw constraint('decoder', message, 'OUT_OF_RANGE');
  }
  const vocab = await vocabularyOf(all, parts.train, names, settings, words, turns);
  const forms = names.tokens;
  const ids = new Int32Array(forms.length);
  for (const [number, form] of forms.entries()) {
    ids[number] = vocab.get(wordOf(form, settings));
    if (turns.due) await turns.next();
  }
  const { subwords } = settings.model;
  const features = subwords ? await formsOf(forms, ids, subwords) : undefined;
  const encode = async (from: NumberedSentences, part: Part) => {
    const chosen = sentencesOf(from, part);
    const offsets = new Uint32Array(chosen.length + 1);
    for (const [i, sentence] of chosen.entries())
      offsets[i + 1] = offsets[i]! + from.offsets[sentence + 1]! - from.offsets[sentence]!;
    const [tokens, tags] = [new Int32Array(offsets.at(-1)!), new Int32Array(offsets.at(-1)!)];
    for (const [i, sentence] of chosen.entries()) {
      const [start, end] = [from.offsets[sentence]!, from.offsets[sentence + 1]!];
      const numbers = from.tokens.subarray(start, end);
      tokens.set(features ? numbers : numbers.map((form) => ids[form]!), offsets[i]!);
      tags.set(set.encode(tagsOf(from, sentence)), offsets[i]!);
      if (turns.due) await turns.next();
    }
    return new TagDataset(tokens, offsets, tags, features);
  };
  const train = await encode(all, parts.train);
  const data: TaggerData = { train, validation: undefined, vocab, set, spelled: subwords ? forms : [] };
  if (validation === undefined) return data;
  const source = given ?? all;
  if (given) checkLabels(given, tagNames, parsed, set);
  const held = await encode(source, given ? undefined : parts.test);
  data.validation = held;
  checkValidation(train, held, typeof validation === 'number' ? validation : undefined, source.origin.file, watcher);
  return data;
}

/** Indices of the sentences of a part; without one all. */
function sentencesOf({ offsets }: NumberedSentences, part: Part): Int32Array {
  return part ?? Int32Array.from({ length: offsets.length - 1 }, (_, i) => i);
}

/** Splits off a share of the sentences so that both parts have each label, as far as possible. */
async function split(
  { offsets, tokens, tags }: NumberedSentences,
  parsed: readonly (Tag | undefined)[],
  fraction: number,
  { seed, wholeTexts }: TaggerTrainSettings,
  turns: Turns,
): Promise<{ train: Int32Array; test: Int32Array }> {
  const numbers = new Map<string, number>();
  // The tag of no entity is in nearly all sentences.
  const labels = parsed.map((tag, number) => {
    if (tag?.prefix === 'O') return -1;
    const label = tag?.label ?? `${number}`;
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return numbers.get(label)!;
  });
  const list: number[] = [];
  const labelOffsets = new Uint32Array(offsets.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const own = new Set(Array.from(tags.subarray(offsets[i], offsets[i + 1]), (tag) => labels[tag]!));
    own.delete(-1);
    list.push(...[...own].sort((a, b) => a - b));
    labelOffsets[i + 1] = list.length;
    if (turns.due) await turns.next();
  }
  // Figures on a sentence that was learned say little about others.
  const tagsOf = (i: number) => tags.subarray(offsets[i], offsets[i + 1]);
  const same = wholeTexts ? await sameTexts({ tokens, offsets }, tagsOf, turns) : undefined;
  const sentences = { labels: list, labelOffsets, length: offsets.length - 1 };
  return turns.run(splitSteps(sentences, { fraction, random: new Random(seed), same }));
}

/** The words of the training sentences, and additional ones. */
async function vocabularyOf(
  all: NumberedSentences,
  part: Part,
  names: Names,
  settings: TaggerTrainSettings,
  words: FirstWords,
  turns: Turns,
): Promise<Vocab> {
  const { text } = settings;
  const { minFreq, maxTokens } = text;
  const forms = names.tokens;
  const counts = new Uint32Array(forms.length);
  const chosen = sentencesOf(all, part);
  for (const sentence of chosen) {
    for (let at = all.offsets[sentence]!; at < all.offsets[sentence + 1]!; at++) counts[all.tokens[at]!]!++;
    if (turns.due) await turns.next();
  }
  const builder = new VocabBuilder();
  for (const [number, form] of forms.entries()) {
    if (counts[number]! > 0) builder.addToken(wordOf(form, settings), counts[number]!);
    if (turns.due) await turns.next();
  }
  const { vocab } = await turns.run(builder.buildInSteps({ minFreq, maxTokens }));
  if (vocab.length <= 2 && minFreq > 1)
    throw constraint('minFreq', `minFreq ${minFreq} leaves no word: no token occurs that often; give a smaller number`);
  const texts = words.learns ? Array.from(chosen, (sentence) => all.texts[sentence]!) : [];
  const extended = await words.extend(vocab, wordsReading(settings, words), texts);
  await turns.run(checkVocabulary(extended, vocabularyRoom('unicode_words')));
  return extended;
}

/**
 * How words outside of the rows are read: in a file of vectors, each entry is one; texts are split as by the tagger.
 */
function wordsReading({ text, splits, ...settings }: TaggerTrainSettings, { given }: FirstWords): TextSettings {
  const tokenizer =
    given === 'texts'
      ? (words: string) => atOnce(placedTokens(words, splits)).map(({ token }) => wordOf(token, settings))
      : (word: string) => [wordOf(word, settings)];
  return { ...text, tokenizer };
}

/** Refuses validation labels that no training row has. */
function checkLabels(
  given: NumberedSentences,
  names: readonly string[],
  parsed: readonly (Tag | undefined)[],
  set: TagSet,
): void {
  const known = new Set(set.labels);
  const labelOf = (tag: number) => {
    if (!set.entities) return names[tag]!;
    return parsed[tag]!.prefix === 'O' ? undefined : parsed[tag]!.label;
  };
  const unknown = new Map<string, { tokens: number; sentence: number }>();
  for (let sentence = 0; sentence + 1 < given.offsets.length; sentence++) {
    for (const tag of given.tags.subarray(given.offsets[sentence], given.offsets[sentence + 1])) {
      const label = labelOf(tag);
      if (label === undefined || known.has(label)) continue;
      const found = unknown.get(label);
      if (found) found.tokens++;
      else unknown.set(label, { tokens: 1, sentence });
    }
  }
  if (unknown.size === 0) return;
  const what = set.entities ? 'label' : 'tag';
  const list = [...unknown].map(([label, { tokens, sentence }]) => {
    return `${JSON.stringify(label)} (${tokens} ${tokens === 1 ? 'token' : 'tokens'}, first in ${placeOf(given, sentence)})`;
  });
  const labels = set.labels.map((label) => JSON.stringify(label));
  const message = `the validation rows have an unknown ${what}: ${listed(list)}; the training rows have ${listed(labels)}`;
  const [{ sentence }] = unknown.values() as unknown as [{ sentence: number }];
  throw new DataError('UNKNOWN_LABEL', message, sentencePosition(given, sentence));
}

function checkValidation(
  train: TagDataset,
  validation: TagDataset,
  share: number | undefined,
  file: string | undefined,
  watcher: Watcher,
): void {
  if (validation.length === 0) {
    const message =
      share === undefined
        ? 'there are no validation rows'
        : `a validation share of ${share} of ${train.length === 1 ? '1 sentence' : `${train.length} sentences`} has none: give more rows, a larger share, or separate validation rows`;
    throw new DataError('EMPTY_DATASET', message, { file });
  }
  if (validation.length >= FEW) return;
  const rows = validation.length === 1 ? '1 row' : `${validation.length} rows`;
  const message = `the validation part has ${rows}, too few to compare epochs by: give more rows, or train without validation and measure the model on other rows`;
  watcher.warn('validation', new DataError('OUT_OF_RANGE', message, { file }));
}
