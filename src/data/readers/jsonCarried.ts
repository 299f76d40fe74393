import { settingsOf } from '../../core/options/table.js';
import { type Column, textColumns, textOf } from './fields.js';
import { fieldsOf, objects } from './jsonLines.js';
import { hasTokens, stringsOf, TOKENS } from './jsonTokens.js';
import { FILE_TEXT, type FileTextOptions } from './options.js';
import type { Tokens, UnlabelledText } from './rows.js';
import { type FileRows, type Input, sourceOf } from './source.js';

/** Options of {@link readCarried}. */
export interface CarriedOptions extends FileTextOptions {
  /** Field of the text, or several fields, joined by a space. Default: `text`. */
  text?: Column | readonly Column[] | undefined;
}

/** A row of JSON lines with its original line. */
export type Carried = (UnlabelledText | Tokens) & {
  /** The line, trimmed; its object has at least one field. */
  json: string;
};

/**
 * Reads texts, and optionally sentences of tokens, from JSON lines, each with its line, so that a program can add a
 * field to it. Blank lines are skipped.
 *
 * @param tokens - Whether an object may have `tokens` in place of a text.
 * @param added - The field that will be added.
 * @throws DataError as `readJsonLines`, and `INVALID_ROW` for an object that already has the field `added`.
 *
 * @internal
 */
export function readCarried(input: Input, options: CarriedOptions, tokens: boolean, added: string): FileRows<Carried> {
  const settings = settingsOf(FILE_TEXT, options);
  const text = textColumns(options.text ?? 'text').map(String);
  return objects<Carried>(sourceOf(input), settings, (record, line, refuse, json) => {
    if (Object.hasOwn(record, added))
      throw refuse(`the object already has a field ${JSON.stringify(added)}; give another name (--into)`);
    const own = json.trim();
    if (tokens && hasTokens(record, TOKENS, text))
      return { tokens: stringsOf(record, TOKENS, true, refuse), line, json: own };
    return { text: textOf(fieldsOf(record, text), refuse), line, json: own };
  });
}
