import type { AtomicLines } from '../core/atomicLines.js';
import type { Answering, AskedRow } from './answering.js';
import type { AnswerTable } from './answerTable.js';
import { gathered } from './gathered.js';
import { outputDrained, outputLost } from './streams.js';

/** Where lines of answers go. */
export interface Lines {
  /** Writes a line; resolves once more can be written. */
  write(line: string): Promise<void> | undefined;
  /** Whether nothing written arrives any more. */
  lost(): boolean;
}

/** Standard output. */
export const STDOUT: Lines = {
  write(line) {
    process.stdout.write(`${line}\n`);
    return process.stdout.writableNeedDrain ? outputDrained() : undefined;
  },
  lost: outputLost,
};

/** Lines of a file. */
export function fileLines(file: AtomicLines): Lines {
  return { write: (line) => file.write(line), lost: () => false };
}

/** How answers are written. */
interface Writing {
  /** The table that answers are the rows of; without one, each is a line of JSON. */
  table?: AnswerTable | undefined;
  /** Whether a table begins with the byte order mark. */
  bom?: boolean;
  /** Milliseconds that a row waits for further rows before it is answered; undefined for as long as it takes. */
  patience?: number | undefined;
  signal: AbortSignal;
}

/** Answers rows and writes a line for each; returns their number. */
export async function writeAnswers(
  rows: AsyncIterable<AskedRow> | AskedRow[],
  answers: Answering,
  lines: Lines,
  { table, bom = false, patience, signal }: Writing,
): Promise<number> {
  let count = 0;
  const writeHead = (first?: AskedRow) => lines.write(`${bom ? '\ufeff' : ''}${table!.head(first)}`);
  for await (const block of gathered(rows, answers.size, patience)) {
    if (lines.lost()) break;
    if (table && count === 0) await writeHead(block[0]);
    const found = await answers.answer(block, signal);
    signal.throwIfAborted();
    for (const [i, answer] of found.entries()) {
      const row = block[i]!;
      const full = lines.write(table ? table.line(row, answer) : JSON.stringify({ ...answers.row(row), ...answer }));
      if (full) await full;
    }
    count += block.length;
  }
  if (table && count === 0) await writeHead();
  return count;
}
