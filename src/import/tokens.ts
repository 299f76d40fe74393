import { counted } from '../core/counted.js';
import { constraint } from '../core/errors.js';
import { Vocab } from '../text/vocab.js';

/** Common names of the token for unknown words. */
const UNKNOWN_NAMES = ['<unk>', '<UNK>', '[UNK]', 'UNK', '<oov>', '<OOV>', 'unk'];
/** Common names of the padding token. */
const PADDING_NAMES = ['<pad>', '<PAD>', '[PAD]', 'PAD', 'pad'];

/** A vocabulary with a word for each row of an embedding. */
export interface FittedVocab {
  vocab: Vocab;
  /** Whether it has one word more than rows: the last one, for unknown words. */
  extended: boolean;
  /** Notes about it, each a sentence. */
  notes: string[];
}

/** The number of a token that an option names, by the token itself or by its number; undefined if not given. */
function numberOf(
  option: string,
  given: string | number | undefined,
  words: ReadonlyMap<string, number>,
  rows: number,
): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string') {
    const number = words.get(given);
    if (number === undefined)
      throw constraint(option, `${option} is ${JSON.stringify(given)}, which the vocabulary does not have`);
    return number;
  }
  if (given < rows) return given;
  throw constraint(option, `${option} is ${given}, but the embedding has the rows 0 to ${rows - 1}`);
}

/**
 * Makes the vocabulary for an embedding with a number of rows.
 *
 * @param words - The words by number.
 * @param unknown - How unknown words are read, as a token or a number; by default the token with a common name,
 * otherwise a separate vector of zeros.
 * @param padding - The padding, a token or a number; by default the token with a common name.
 * @throws ArgumentError if they do not match.
 */
export function fittedVocab(
  words: ReadonlyMap<number, string>,
  rows: number,
  unknown: string | number | undefined,
  padding: string | number | undefined,
): FittedVocab {
  const numbers = new Map<string, number>();
  for (const [number, word] of words) {
    if (number >= rows)
      throw constraint(
        'vocab',
        `the vocabulary gives ${JSON.stringify(word)} the number ${number}, but the embedding has the rows 0 to ${rows - 1}`,
      );
    numbers.set(word, number);
  }
  const usual = (names: readonly string[]) => numbers.get(names.find((name) => numbers.has(name)) ?? '');
  const unknownAt = numberOf('unknown', unknown, numbers, rows) ?? usual(UNKNOWN_NAMES);
  const first = words.has(0) || unknownAt === 0 ? undefined : 0;
  const paddingAt = numberOf('padding', padding, numbers, rows) ?? usual(PADDING_NAMES) ?? first;
  if (unknownAt !== undefined && unknownAt === paddingAt)
    throw constraint(
      'padding',
      `unknown and padding are both the row ${unknownAt} of the embedding; give each its own`,
    );
  const tokens: string[] = [];
  const unused: string[] = [];
  const free = (name: string) => {
    let found = name;
    while (numbers.has(found)) found = `<${found}>`;
    return found;
  };
  for (let row = 0; row < rows; row++) {
    const name = row === unknownAt ? '<unk>' : row === paddingAt ? '<pad>' : `<unused-${row}>`;
    const token = words.get(row) ?? free(name);
    if (!words.has(row) && row !== unknownAt && row !== paddingAt) unused.push(token);
    tokens.push(token);
  }
  const notes: string[] = [];
  if (unused.length > 0)
    notes.push(
      `${counted(unused.length)} of the embedding ${unused.length === 1 ? 'has' : 'have'} no word in the vocabulary`,
    );
  const extended = unknownAt === undefined;
  if (extended) {
    tokens.push(free('<unk>'));
    notes.push('the vocabulary has no token for unknown words: they are read as a vector of zeros; see unknown');
  }
  const unkToken = tokens[unknownAt ?? rows]!;
  const padToken = paddingAt === undefined ? null : tokens[paddingAt]!;
  const specials = [unkToken, ...(padToken === null ? [] : [padToken]), ...unused];
  return { vocab: Vocab.fromTokens(tokens, { specials, unkToken, padToken }), extended, notes };
}
