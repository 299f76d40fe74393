import type { Turns } from '../../core/turns.js';
import type { GivenRow, Rows } from '../readers/rows.js';

/** How rows are handed over to what reads their texts away from the event loop. */
export interface Ahead<R> {
  /** Most texts of a call. */
  texts: number;
  /** Most characters of a call of more than one text. */
  characters: number;
  /** Calls under way at a time. Each holds a thread of the pool, which files are read on as well. */
  calls: number;
  /** Reads texts. */
  send(texts: string[]): Promise<R>;
  /** Takes rows, in their order, and what was made of their texts. */
  receive(rows: GivenRow[], result: R): Promise<void>;
  /** Takes a row whose text is no string, in its place. */
  refuse(row: GivenRow): void;
}

/**
 * Hands the texts of rows over some hundreds at a time, and reads the next rows meanwhile. Faults are met in the order of the
 * rows: what was read before a fault of the source is received before it is thrown.
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
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
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
  /** Takes a row; what it returns must be awaited before the next one. */
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
