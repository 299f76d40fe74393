import type { Turns } from '../../core/turns.js';
import type { GivenRow, Rows } from '../readers/rows.js';

/** How rows are sent to be read off the event loop. */
export interface Ahead<R> {
  /** Maximum texts per call. */
  texts: number;
  /** Maximum characters per call of more than one text. */
  characters: number;
  /** Maximum calls at a time. Each occupies a thread of the pool, which also reads files. */
  calls: number;
  /** Reads texts. */
  send(texts: string[]): Promise<R>;
  /** Takes rows, in order, and the result for their texts. */
  receive(rows: GivenRow[], result: R): Promise<void>;
  /** Takes a row whose text is not a string, in order. */
  refuse(row: GivenRow): void;
}

/**
 * Sends the texts of rows in blocks of some hundreds while reading the next rows. Errors keep the order of the rows:
 * rows before an error of the source are received before it is thrown.
 *
 * @internal
 */
export async function readAhead<R>(rows: Rows, ahead: Ahead<R>, turns: Turns): Promise<void> {
  const calls: { rows: GivenRow[]; result: Promise<R> }[] = [];
  let waiting: GivenRow[] = [];
  let characters = 0;
  let refused = false;
  const send = () => {
    if (waiting.length === 0) return;
    const result = ahead.send(waiting.map(({ text }) => text));
    // The error is thrown in its turn; until then it must not count as unhandled.
    result.catch(() => {});
    calls.push({ rows: waiting, result });
    waiting = [];
    characters = 0;
  };
  const receive = async (most: number) => {
    while (calls.length > most) {
      const { rows: sent, result } = calls.shift()!;
      try {
        await ahead.receive(sent, await result);
      } catch (error) {
        refused = true;
        throw error;
      }
    }
  };
  /** Takes a row; await the result before the next one. */
  const take = (row: GivenRow): Promise<void> | undefined => {
    if (typeof row?.text !== 'string') return refuse(row);
    waiting.push(row);
    characters += row.text.length;
    const full = waiting.length >= ahead.texts || characters >= ahead.characters;
    if (!full && !turns.due) return undefined;
    send();
    return next();
  };
  const next = async () => {
    await receive(ahead.calls - 1);
    if (turns.due) await turns.next();
  };
  const refuse = async (row: GivenRow) => {
    send();
    await receive(0);
    refused = true;
    ahead.refuse(row);
  };
  try {
    if (Symbol.asyncIterator in rows) {
      for await (const row of rows) {
        const taken = take(row);
        if (taken) await taken;
      }
    } else {
      for (const row of rows) {
        const taken = take(row);
        if (taken) await taken;
      }
    }
  } catch (error) {
    if (!refused) {
      send();
      await receive(0);
    }
    throw error;
  }
  send();
  await receive(0);
}
