import { settingsOf } from '../../core/options/table.js';
import { lineBlocks } from './lines.js';
import { FILE_TEXT, type FileTextOptions, type FileTextSettings } from './options.js';
import type { Reading } from './reading.js';
import type { UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Source } from './source.js';

/**
 * Reads each line as a text, including blank lines.
 *
 * @internal
 */
export function lineTexts(source: Source, options: FileTextOptions): FileRows<UnlabelledText> {
  const settings = settingsOf(FILE_TEXT, options);
  return fileRows(source, settings, (opened, reading) => read(opened, settings, reading));
}

async function* read(
  source: Source,
  settings: FileTextSettings,
  reading: Reading,
): AsyncGenerator<UnlabelledText, void, undefined> {
  for await (const { lines, first } of lineBlocks(source, settings, reading)) {
    for (let i = 0; i < lines.length; i++) yield reading.row({ text: lines[i]!, line: first + i });
  }
}
