import { type LineOptions, type LineSettings, lineBlocks, lineSettings } from './lines.js';
import type { UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Source } from './source.js';

/**
 * Reads texts of which each is a line, blank ones included.
 *
 * @internal
 */
export function lineTexts(source: Source, options: LineOptions): FileRows<UnlabelledText> {
  const settings = lineSettings(options);
  return fileRows(source, 'error', (opened) => read(opened, settings));
}

async function* read(source: Source, settings: LineSettings): AsyncGenerator<UnlabelledText, void, undefined> {
  for await (const { lines, first } of lineBlocks(source, settings)) {
    for (let i = 0; i < lines.length; i++) yield { text: lines[i]!, line: first + i };
  }
}
