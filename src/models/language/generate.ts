import { constraint } from '../../core/errors.js';
import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import type { WritingEngine } from '../../engine/writing.js';
import { UNKNOWN_UNIT } from '../../text/units/names.js';
import type { UnitCoder } from '../../text/units/units.js';
import type { GeneratedText, GenerateSettings } from './sampling.js';
import { Stops } from './stops.js';

/** Units of a prompt that are read in one call: some tens of milliseconds. */
const READ_TOGETHER = 2_048;

/** Maximum units written per call; the first calls write fewer, so that the text starts at once. */
const WRITE_TOGETHER = 32;

const WHAT = 'the writing of the text';

const NONE: Int32Array = new Int32Array(0);

/** Feeds a prompt to an engine in parts; returns its number of units. */
async function readPrompt(
  units: UnitCoder,
  prompt: string,
  signal: AbortSignal | undefined,
  read: (part: Int32Array) => Promise<unknown>,
): Promise<number> {
  const all = await units.encode(prompt, new Turns(signal, undefined, WHAT));
  await read(Int32Array.of(units.end));
  for (let from = 0; from < all.length; from += READ_TOGETHER) {
    throwIfAborted(signal, WHAT);
    await read(all.subarray(from, from + READ_TOGETHER));
  }
  return all.length;
}

/** The most probable continuation of a prompt, as one piece, if it is not empty. */
async function* searchedText(
  engine: Pick<WritingEngine, 'searchText'>,
  units: UnitCoder,
  prompt: string,
  { beamSize, lengthPenalty, maxNewTokens, stop, signal }: GenerateSettings & { beamSize: number },
): AsyncGenerator<string, GeneratedText, undefined> {
  throwIfAborted(signal, WHAT);
  const never = [units.vocab.get(UNKNOWN_UNIT)];
  const text = engine.searchText({ beamSize, lengthPenalty, never, end: units.end });
  const promptTokens = await readPrompt(units, prompt, signal, (read) => text.search(read, 0));
  const together = Math.max(1, Math.floor(WRITE_TOGETHER / beamSize));
  let best = NONE;
  for (let left = maxNewTokens, ended = false; left > 0 && !ended; left -= together) {
    throwIfAborted(signal, WHAT);
    ({ units: best, ended } = await text.search(NONE, Math.min(left, together)));
  }
  const decoder = units.decoder();
  const stops = new Stops(stop);
  let whole = '';
  let tokens = 0;
  for (const unit of best) {
    whole += stops.push(decoder.push(unit));
    tokens++;
    if (stops.found) break;
  }
  whole += stops.end();
  if (whole !== '') yield whole;
  const reason = stops.found ? 'stop' : best.length < maxNewTokens ? 'end' : 'length';
  return { reason, promptTokens, tokens, seed: 0 };
}

/** Continues a prompt. Only the pieces of one call are computed before the caller asks for them. */
export async function* generateText(
  engine: Pick<WritingEngine, 'writeText'> & Partial<Pick<WritingEngine, 'searchText'>>,
  units: UnitCoder,
  prompt: string,
  settings: GenerateSettings,
): AsyncGenerator<string, GeneratedText, undefined> {
  const { beamSize } = settings;
  const { searchText } = engine;
  if (beamSize !== undefined) {
    if (!searchText) throw constraint('beamSize', 'this engine cannot search for texts; remove beamSize');
    return yield* searchedText({ searchText }, units, prompt, { ...settings, beamSize });
  }
  const { maxNewTokens, temperature, topK = 0, topP, repetitionPenalty, stop, signal } = settings;
  throwIfAborted(signal, WHAT);
  const { seed = Math.floor(Math.random() * 2 ** 32) } = settings;
  const never = [units.vocab.get(UNKNOWN_UNIT)];
  const text = engine.writeText({ temperature, topK, topP, repetitionPenalty, never, end: units.end, seed });
  try {
    const promptTokens = await readPrompt(units, prompt, signal, (read) => text.write(read, 0));
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
    return { reason: stops.found ? 'stop' : finished ? 'end' : 'length', promptTokens, tokens, seed };
  } finally {
    text.close?.();
  }
}
