import { DataError } from '../../core/errors.js';
import { checkNames, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import { lineBlocks } from './lines.js';
import { FILE_TEXT, type FileTextOptions, LABEL_PREFIX, type LabelPrefixOption } from './options.js';
import type { Reading } from './reading.js';
import type { Row, UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Input, type Source, sourceOf } from './source.js';

/** Options of {@link readFastText}. */
export interface ReadFastTextOptions extends FileTextOptions, LabelPrefixOption {}

/** The table of {@link ReadFastTextOptions}. */
const FAST_TEXT = { ...LABEL_PREFIX, ...FILE_TEXT } as const satisfies TableOf<ReadFastTextOptions>;

/**
 * Reads fastText's format: one text per line, with a word such as `__label__sports` for each of its labels, usually
 * before the text. A line with one label yields a string, others an array; a line without labels is only valid in a
 * multi-label set. gzip and zstd are decompressed, and blank lines skipped.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadFastTextOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened
 * when iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (a label without a name, bytes that are not UTF-8, a line too long),
 * `INVALID_FILE` (damaged compression).
 *
 * @example
 * ```ts
 * const model = await TextClassifier.train(readFastText('train.ft.txt'));
 * ```
 */
export function readFastText(input: Input, options: ReadFastTextOptions = {}): FileRows<Row> {
  checkNames('readFastText', options, FAST_TEXT);
  return fastTextRows(sourceOf(input), options);
}

/** @internal */
export function fastTextRows(source: Source, options: ReadFastTextOptions): FileRows<Row> {
  return lines(source, options, ({ text, labels }, line) => ({
    text,
    label: labels.length === 1 ? labels[0]! : labels,
    line,
  }));
}

/** @internal */
export function fastTextTexts(source: Source, options: ReadFastTextOptions): FileRows<UnlabelledText> {
  return lines(source, options, ({ text }, line) => ({ text, line }));
}

interface FastTextLine {
  text: string;
  labels: string[];
}

function lines<R>(
  source: Source,
  options: ReadFastTextOptions,
  make: (found: FastTextLine, line: number) => R,
): FileRows<R> {
  const settings = settingsOf(FAST_TEXT, options);
  return fileRows(source, settings, (opened, reading) => read(opened, reading, settings, make));
}

async function* read<R>(
  source: Source,
  reading: Reading,
  settings: SettingsOf<typeof FAST_TEXT>,
  make: (found: FastTextLine, line: number) => R,
): AsyncGenerator<R, void, undefined> {
  const { labelPrefix } = settings;
  for await (const { lines, first } of lineBlocks(source, settings, reading)) {
    for (let i = 0; i < lines.length; i++) {
      if (lines[i]!.trim() === '') continue;
      const line = first + i;
      const row = reading.make(() => make(split(lines[i]!, labelPrefix, { file: source.file, line }), line));
      if (row !== undefined) yield row;
    }
  }
}

/** Removes the labels from a line. They are words at any position, as in fastText. */
function split(line: string, prefix: string, at: { file: string | undefined; line: number }): FastTextLine {
  const labels: string[] = [];
  const take = (word: string) => {
    if (word.length === prefix.length) {
      throw new DataError('INVALID_ROW', `a label has no name: only ${JSON.stringify(prefix)}`, at);
    }
    labels.push(word.slice(prefix.length));
  };
  let text = line;
  // Labels usually come first; the text after them is kept verbatim.
  for (;;) {
    text = text.trimStart();
    if (!text.startsWith(prefix)) break;
    const word = /^\S+/.exec(text)![0];
    take(word);
    text = text.slice(word.length);
  }
  if (text.includes(prefix)) {
    const words = text.split(/(\s+)/);
    text = words
      .filter((word) => {
        if (!word.startsWith(prefix)) return true;
        take(word);
        return false;
      })
      .join('');
  }
  return { text: text.trim(), labels };
}
