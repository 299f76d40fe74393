import { settingsOf } from '../../core/options/table.js';
import { type Column, type Refuse, textColumns, textOf } from './fields.js';
import { fieldsOf, type JsonObject, keptFields, objects } from './jsonLines.js';
import { FILE_TEXT, type FileTextOptions, type KeepOption } from './options.js';
import type { TaggedTokens, Tokens, UnlabelledText } from './rows.js';
import type { FileRows, Source } from './source.js';

/** Default field of the tokens. */
export const TOKENS = 'tokens';

/**
 * Whether an object contains a sentence of tokens. An object with a text is read by its text, since programs that write
 * spans may add tokens.
 *
 * @internal
 */
export function hasTokens(record: JsonObject, tokens: string, text: readonly string[]): boolean {
  return Object.hasOwn(record, tokens) && !text.some((name) => Object.hasOwn(record, name));
}

/**
 * The strings of a field; `empty` allows empty strings.
 *
 * @internal
 */
export function stringsOf(record: JsonObject, name: string, empty: boolean, refuse: Refuse): string[] {
  const list = Object.hasOwn(record, name) ? record[name] : undefined;
  if (!Array.isArray(list)) {
    const found = list === undefined ? 'is missing' : list === null ? 'is null' : `is a ${typeof list}`;
    throw refuse(`the field ${JSON.stringify(name)} ${found}: expected an array of strings`);
  }
  const wrong = list.findIndex((each) => typeof each !== 'string' || (each === '' && !empty));
  if (wrong < 0) return list as string[];
  const expected = empty ? 'a string' : 'a string that is not empty';
  throw refuse(`${name}[${wrong}] is ${String(JSON.stringify(list[wrong])).slice(0, 60)}: expected ${expected}`);
}

/**
 * The tokens of an object with a tag for each.
 *
 * @internal
 */
export function taggedOf(record: JsonObject, token: string, tag: string, refuse: Refuse): TaggedTokens {
  const tokens = stringsOf(record, token, true, refuse);
  const tags = stringsOf(record, tag, false, refuse);
  if (tokens.length !== tags.length)
    throw refuse(`there are ${tokens.length} tokens and ${tags.length} tags; expected a tag for each token`);
  return { tokens, tags };
}

/**
 * Texts and sentences of tokens, for prediction, from JSON lines: `{ "tokens": [...] }`, or objects with a text.
 *
 * @param options - `text`: the field of the text. Default: `text`.
 * @internal
 */
export function jsonTextsOrTokens(
  source: Source,
  options: FileTextOptions & KeepOption & { text?: Column | readonly Column[] | undefined },
): FileRows<UnlabelledText | Tokens> {
  const settings = settingsOf(FILE_TEXT, options);
  const text = textColumns(options.text ?? 'text').map(String);
  const keep = keptFields(options);
  return objects<UnlabelledText | Tokens>(source, settings, (record, line, refuse) =>
    hasTokens(record, TOKENS, text)
      ? { tokens: stringsOf(record, TOKENS, true, refuse), ...keep(record, refuse), line }
      : { text: textOf(fieldsOf(record, text), refuse), ...keep(record, refuse), line },
  );
}
