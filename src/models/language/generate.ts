import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import type { WritingEngine } from '../../engine/writing.js';
import { UNKNOWN_UNIT } from '../../text/units/names.js';
import type { UnitCoder } from '../../text/units/units.js';
import type { GeneratedText, GenerateSettings } from './sampling.js';
import { Stops } from './stops.js';

/** Units of a prompt that are read in one call: some tens of milliseconds. */
const READ_TOGETHER = 2_048;

/** Units that are written in one call at the most; the first calls write fewer, so that the text begins at once. */
const WRITE_TOGETHER = 32;

const WHAT = 'the writing of the text';

const NONE = new Int32Array(0);

/** Writes a text behind a prompt. Nothing is written that nobody has asked for yet, but for the pieces of one call. */
export async function* generateText(
  engine: Pick<WritingEngine, 'writeText'>,
  units: UnitCoder,
  prompt: string,
  settings: GenerateSettings,
): AsyncGenerator<string, GeneratedText, undefined> {
  const { maxNewTokens, temperature, topK = 0, topP, repetitionPenalty, stop, signal } = settings;
  throwIfAborted(signal, WHAT);
  const { seed = Math.floor(Math.random() * 2 ** 32) } = settings;
  const never = [units.vocab.get(UNKNOWN_UNIT)];
  const text = engine.writeText({ temperature, topK, topP, repetitionPenalty, never, end: units.end, seed });
  try {
    const read = await units.encode(prompt, new Turns(signal, undefined, WHAT));
    await text.write(Int32Array.of(units.end), 0);
    for (let from = 0; from < read.length; from += READ_TOGETHER) {
      throwIfAborted(signal, WHAT);
      await text.write(read.subarray(from, from + READ_TOGETHER), 0);
    }
    const decoder = units.decoder();
    const stops = new Stops(stop);
    let tokens = 0;
    let finished = false;
    for (let together = 1; !finished && tokens < maxNewTokens; together = Math.min(2 * together, WRITE_TOGETHER)) {
      throwIfAborted(signal, WHAT);
      const { units: written, ended } = await text.write(NONE, Math.min(maxNewTokens - tokens, together));
      let piece = '';
      for (const unit of written) {
        piece += stops.push(decoder.push(unit));
        tokens++;
        if (stops.found) break;
      }
      finished = ended || stops.found;
      if (piece !== '') yield piece;
    }
    const rest = stops.end();
    if (rest !== '') yield rest;
    return { reason: stops.found ? 'stop' : finished ? 'end' : 'length', promptTokens: read.length, tokens, seed };
  } finally {
    text.close?.();
  }
}
