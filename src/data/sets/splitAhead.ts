import { type BatchTokenizer, tokenizeTogether } from '../../text/tokenizer.js';

/** Bounds of what goes to the tokenizer in one call: some milliseconds of its work. */
const TEXTS = 256;
const CHARACTERS = 65_536;
/** Calls under way at a time: enough to keep the threads of the pool busy while rows are read and tokens are counted. */
const CALLS = 4;

/**
 * Reads rows and gives each with the tokens of its text, in order; the texts are split some hundreds at a time, away from
 * the event loop, while the next rows are read. A row whose text is no string is given without tokens, in its place.
 *
 * @internal
 */
export async function* splitAhead<T extends { text: string }>(
  rows: Iterable<T> | AsyncIterable<T>,
  tokenizer: BatchTokenizer,
): AsyncGenerator<[row: T, tokens: string[]], void, undefined> {
  const calls: { rows: T[]; tokens: Promise<string[][]> }[] = [];
  let waiting: T[] = [];
  let characters = 0;
  const send = () => {
    const tokens = tokenizeTogether(
      tokenizer,
      waiting.map(({ text }) => text),
    );
    // A failure is thrown when its turn comes; until then it must not count as unhandled.
    tokens.catch(() => {});
    calls.push({ rows: waiting, tokens });
    waiting = [];
    characters = 0;
  };
  const receive = async function* (most: number): AsyncGenerator<[T, string[]], void, undefined> {
    while (calls.length > most) {
      const { rows: sent, tokens } = calls.shift()!;
      const lists = await tokens;
      for (let i = 0; i < sent.length; i++) yield [sent[i]!, lists[i]!];
    }
  };
  for await (const row of rows) {
    if (typeof row?.text !== 'string') {
      if (waiting.length > 0) send();
      yield* receive(0);
      yield [row, []];
      continue;
    }
    waiting.push(row);
    characters += row.text.length;
    if (waiting.length >= TEXTS || characters >= CHARACTERS) {
      send();
      yield* receive(CALLS - 1);
    }
  }
  if (waiting.length > 0) send();
  yield* receive(0);
}
