import { note } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import type { FileRows } from '../../data/readers/source.js';
import { gathered } from '../gathered.js';
import { openFor, type WithColumns } from '../modelColumns.js';
import { type KeepFlag, noteSkipped, noteWarnings, openTexts, type TextFlags } from '../rows.js';
import { outputDrained, outputLost } from '../streams.js';

/** Texts are answered in blocks: large enough to be fast, small enough to keep memory flat and answers prompt. */
export const BLOCK = 1_024;

/** Milliseconds that a line of standard input waits for further lines before it is answered. */
export const PATIENCE = 5;

/**
 * Answers texts from the arguments, a file, or standard input, block by block, until the output's reader has gone. …
 * @param model - Has the columns of files whose flags name none.
 * @param file - The file, `-` for standard input; undefined for the texts of the arguments.
 * @param answer - Answers some texts, in their order.
 * @param show - Writes an answer.
 */
export async function answerTexts<T>(
  model: WithColumns,
  texts: readonly string[],
  file: string | undefined,
  flags: TextFlags & KeepFlag & { json?: boolean },
  answer: (texts: string[]) => Promise<readonly T[]>,
  show: (row: UnlabelledText, answer: T) => void,
  size = BLOCK,
): Promise<void> {
  const given =
    file === undefined ? texts.map((text): UnlabelledText => ({ text })) : openFor(model, openTexts, file, flags);
  await answerRows(given, flags, file === '-', (rows) => answer(rows.map(({ text }) => text)), show, size);
}

/**
 * Answers rows of any kind block by block, until the output's reader has gone.
 *
 * @param fromInput - Whether they come from standard input, where a person may type them.
 */
export async function answerRows<R, T>(
  given: FileRows<R> | readonly R[],
  flags: { json?: boolean },
  fromInput: boolean,
  answer: (rows: readonly R[]) => Promise<readonly T[]>,
  show: (row: R, answer: T) => void,
  size = BLOCK,
): Promise<void> {
  const interactive = fromInput && process.stdin.isTTY;
  if (interactive) note('recurra: one text per line, Ctrl-D ends');
  for await (const block of gathered(given, interactive ? 1 : size, fromInput ? PATIENCE : undefined)) {
    // The reader has gone, or the output cannot be written.
    if (outputLost()) break;
    const answers = await answer(block);
    for (const [index, each] of answers.entries()) {
      if (outputLost()) break;
      show(block[index]!, each);
      if (process.stdout.writableNeedDrain) await outputDrained();
    }
  }
  if (outputLost()) {
    // Its next line may be far away.
    if (fromInput) process.stdin.destroy();
    return;
  }
  if ('skipped' in given) {
    noteSkipped(given);
    noteWarnings(given, flags.json === true);
  }
}

/** A text on one line: a text from a table may have line ends. */
export function onOneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}
