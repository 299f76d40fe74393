import { note } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import { noteSkipped, noteWarnings, openTexts, type TextFlags } from '../rows.js';
import { outputDrained, outputLost } from '../streams.js';

/** Texts are answered in blocks: large enough to be fast, small enough to keep memory flat and answer as they come. */
export const BLOCK = 1_024;

/**
 * Answers texts from the arguments, a file, or standard input, block by block, until nobody reads the output any more.
 *
 * @param file - The file, `-` for standard input; undefined for the texts of the arguments.
 * @param answer - Answers some texts, in their order.
 * @param show - Writes an answer.
 */
export async function answerTexts<T>(
  texts: readonly string[],
  file: string | undefined,
  flags: TextFlags & { json?: boolean },
  answer: (texts: string[]) => Promise<readonly T[]>,
  show: (row: UnlabelledText, answer: T) => void,
  size = BLOCK,
): Promise<void> {
  const interactive = file === '-' && process.stdin.isTTY;
  if (interactive) note('recurra: one text per line, Ctrl-D ends');
  const rows = file === undefined ? undefined : openTexts(file, flags);
  let block: UnlabelledText[] = [];
  const flush = async () => {
    const answers = await answer(block.map(({ text }) => text));
    for (const [index, each] of answers.entries()) {
      if (outputLost()) break;
      show(block[index]!, each);
      if (process.stdout.writableNeedDrain) await outputDrained();
    }
    block = [];
  };
  for await (const row of rows ?? texts.map((text): UnlabelledText => ({ text }))) {
    // Nobody reads the rest, or it cannot be written.
    if (outputLost()) return;
    block.push(row);
    if (interactive || block.length === size) await flush();
  }
  if (block.length > 0) await flush();
  if (rows) {
    noteSkipped(rows);
    noteWarnings(rows, flags.json === true);
  }
}

/** A text on one line: a text from a table may have line ends. */
export function onOneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
