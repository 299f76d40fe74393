import { invalidArgument } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import type { WritingEngine } from '../../engine/writing.js';
import type { Units } from '../../text/units/index.js';

/** Units per call of the engine (a longer text goes alone): some tens of milliseconds of work. */
const TOGETHER = 16_384;

const WHAT = 'the embedding of the texts';

/** One vector for each text: the mean of the outputs over `<eos>` and its units. */
export async function embedTexts(
  engine: WritingEngine,
  units: Units,
  texts: Iterable<string>,
  width: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  throwIfAborted(signal, WHAT);
  const turns = new Turns(signal, undefined, WHAT);
  const found: Float32Array[] = [];
  let [list, lengths] = [new Int32List(), [] as number[]];
  const flush = async () => {
    if (lengths.length === 0) return;
    const values = await engine.embed(await turns.run(list.finish()), Int32Array.from(lengths));
    turns.restart();
    throwIfAborted(signal, WHAT);
    for (let row = 0; row < lengths.length; row++) found.push(values.slice(row * width, (row + 1) * width));
    [list, lengths] = [new Int32List(), []];
  };
  let waiting = 0;
  let place = 0;
  for (const text of texts) {
    if (typeof text !== 'string') throw invalidArgument(`texts[${place}]`, 'a string', text);
    const read = await units.encode(text, turns);
    if (waiting + read.length >= TOGETHER) {
      await flush();
      waiting = 0;
    }
    list.push(units.end);
    list.pushAll(read);
    lengths.push(read.length + 1);
    waiting += read.length + 1;
    place++;
  }
  await flush();
  return found;
}
