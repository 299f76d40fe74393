import { TextDecoder } from 'node:util';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { LinePositions } from './linePositions.js';
import { FILE_TEXT, type FileTextOptions } from './options.js';
import type { UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Input, sourceOf } from './source.js';
import { checkedUtf8 } from './textStream.js';

/** A part of a text; with `continues`, the next part belongs to the same text. */
export interface TextPart extends UnlabelledText {
  /** Whether the text continues in the next part. Default `false`: the text ends here. */
  continues?: boolean | undefined;
}

/**
 * Reads a file as one text, in parts, so that it may be larger than memory; it may be compressed by gzip or zstd. A
 * byte order mark is skipped.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @returns the parts, for `LanguageModel.train`; the file is opened when iteration starts.
 * @throws {@link DataError} `FILE_NOT_FOUND` or `IO` for a file that cannot be read, `INVALID_ROW` for bytes that are not UTF-8.
 *
 * @example
 * ```ts
 * const model = await LanguageModel.train(readWholeText('shakespeare.txt.gz'));
 * ```
 */
export function readWholeText(input: Input, options: Omit<FileTextOptions, 'maxRowBytes'> = {}): FileRows<TextPart> {
  checkNames('readWholeText', options, WHOLE);
  const source = sourceOf(input);
  const settings = settingsOf(WHOLE, options);
  const { encoding } = settings;
  return fileRows(source, settings, async function* (opened, reading) {
    const decoder = new TextDecoder('utf-8');
    for await (const bytes of checkedUtf8(opened.open(reading), new LinePositions(), { file: opened.file, encoding })) {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== '') yield reading.row({ text, continues: true });
    }
    // Ends the text; an incomplete character would have been refused.
    yield { text: '' };
  });
}

const { maxRowBytes: _, ...WHOLE } = FILE_TEXT;
