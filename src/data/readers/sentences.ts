import { DataError } from '../../core/errors.js';
import { lineBlocks } from './lines.js';
import type { FileTextSettings } from './options.js';
import type { Reading } from './reading.js';
import type { Source } from './source.js';

/** The kinds of lines in a file with one token per line. */
export type LineKind = 'token' | 'comment' | 'border';

/** The lines of a sentence, one per token. */
export interface SentenceLines {
  lines: string[];
  /** Number of each line, from 1. */
  numbers: number[];
}

/** Whether a line separates two sentences. */
export function isBlankLine(line: string): boolean {
  return /^[ \t]*$/.test(line);
}

/**
 * Collects the lines of each sentence. Sentences end at blank lines, at borders and at the end of the file.
 *
 * @param kindOf - Classifies a line that is not blank; `first` is true where a sentence would begin.
 * @throws {@link DataError} `INVALID_ROW` for a sentence of more than `maxRowBytes` characters: blank lines are missing.
 */
export async function* sentenceLines(
  source: Source,
  settings: FileTextSettings,
  reading: Reading,
  kindOf: (line: string, number: number, first: boolean) => LineKind,
): AsyncGenerator<SentenceLines, void, undefined> {
  let sentence: SentenceLines = { lines: [], numbers: [] };
  let length = 0;
  for await (const { lines, first } of lineBlocks(source, settings, reading)) {
    for (const [i, line] of lines.entries()) {
      const number = first + i;
      const kind = isBlankLine(line) ? 'border' : kindOf(line, number, sentence.lines.length === 0);
      if (kind === 'token') {
        sentence.lines.push(line);
        sentence.numbers.push(number);
        length += line.length;
        if (length > settings.maxRowBytes) {
          const message = `the sentence is longer than maxRowBytes, ${settings.maxRowBytes}: expected a blank line between sentences`;
          throw new DataError('INVALID_ROW', message, { file: source.file, line: sentence.numbers[0] });
        }
      } else if (kind === 'border' && sentence.lines.length > 0) {
        yield sentence;
        sentence = { lines: [], numbers: [] };
        length = 0;
      }
    }
  }
  if (sentence.lines.length > 0) yield sentence;
}
