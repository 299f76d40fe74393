import { readFile, stat } from 'node:fs/promises';
import { DataError } from '../core/errors.js';
import { ioError } from '../core/ioError.js';

/** A larger file is not a vocabulary. */
const LARGEST = 256 * 2 ** 20;
/** Keys under which programs store a vocabulary next to other data: torchtext, Keras, and scripts. */
const KEYS = ['itos', 'stoi', 'vocab', 'tokens', 'word_index', 'word2idx', 'word2id'];

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST)
      throw new DataError('INVALID_FILE', `it has ${size} bytes; a list of words may have at most ${LARGEST}`, {
        file,
      });
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (error instanceof TypeError) throw new DataError('INVALID_FILE', 'it is not UTF-8', { file });
    throw ioError(error as Error, file);
  }
}

/** The lines of a text without their ends; a final line end does not start another line. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError('INVALID_FILE', `it is not JSON: ${(cause as Error).message}`, { file }, { cause });
  }
}

/**
 * Reads a list of texts: one per line, or an array if the file's name ends in `.json`.
 *
 * @throws {@link DataError} `FILE_NOT_FOUND`, `IO` or `INVALID_FILE`.
 */
export async function readList(file: string): Promise<string[]> {
  const text = await textOf(file);
  if (!/\.json$/i.test(file)) return linesOf(text);
  const list = parsed(text, file);
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string'))
    throw new DataError('INVALID_FILE', 'expected an array of strings', { file });
  return list;
}

/**
 * Reads the number of each word: one word per line, from 0; or, if the file's name ends in `.json`, an array of words,
 * an object from words to numbers, or either of them under a common key such as `stoi` or `word_index`.
 *
 * @returns the words by number; a number that no word has is missing.
 * @throws {@link DataError} `FILE_NOT_FOUND`, `IO`, or `INVALID_FILE` for any other content, and for two words with the same
 * number.
 */
export async function readVocabulary(file: string): Promise<ReadonlyMap<number, string>> {
  if (!/\.json$/i.test(file)) return numbered(await readList(file), file);
  const invalid = (what: string) => new DataError('INVALID_FILE', what, { file });
  let json = parsed(await textOf(file), file) as Record<string, unknown> | unknown[];
  const usual = KEYS.map((key) =>
    Object.hasOwn(Object(json), key) ? (json as Record<string, unknown>)[key] : undefined,
  );
  // A word may be named like a key; then its value is a number.
  json = (usual.find((value) => typeof value === 'object' && value !== null) as typeof json) ?? json;
  if (Array.isArray(json)) return numbered(json, file);
  if (typeof json !== 'object' || json === null)
    throw invalid('expected an array of words, or an object from words to numbers');
  const words = new Map<number, string>();
  for (const [word, number] of Object.entries(json)) {
    if (!Number.isSafeInteger(number) || (number as number) < 0)
      throw invalid(`the word ${JSON.stringify(word)} has ${JSON.stringify(number)} instead of a number from 0`);
    const other = words.get(number as number);
    if (other !== undefined)
      throw invalid(`the words ${JSON.stringify(other)} and ${JSON.stringify(word)} both have the number ${number}`);
    words.set(number as number, word);
  }
  if (words.size === 0) throw invalid('it has no words');
  return words;
}

function numbered(list: readonly unknown[], file: string): ReadonlyMap<number, string> {
  const words = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const [number, word] of list.entries()) {
    if (typeof word !== 'string')
      throw new DataError('INVALID_FILE', `item ${number + 1} of its list is not a string`, { file });
    const before = numbers.get(word);
    if (before !== undefined)
      throw new DataError(
        'INVALID_FILE',
        `the word ${JSON.stringify(word)} appears twice, as item ${before + 1} and ${number + 1}`,
        { file },
      );
    numbers.set(word, number);
    words.set(number, word);
  }
  if (words.size === 0) throw new DataError('INVALID_FILE', 'it has no words', { file });
  return words;
}
