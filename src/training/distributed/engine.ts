import type { ExplainingEngine, MeasuredTags } from '../../engine/engine.js';
import type { Forms } from '../../text/forms.js';
import type { Ranks } from './ranks.js';
import { rangeOf } from './share.js';

/** The bytes of an array. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Concatenates arrays. */
function joined(parts: readonly Uint8Array[]): Float32Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Float32Array(bytes.buffer);
}

/**
 * An engine whose scores are computed by all ranks together: each answers a part of the rows, and all get the same
 * scores, bit by bit. All ranks must request the same rows. Everything else is computed by each rank alone.
 */
export function sharedEngine(engine: ExplainingEngine, ranks: Ranks): ExplainingEngine {
  /**
   * This rank's part of the rows; never empty, since an engine's first answer after a step also updates its weights.
   */
  const part = (tokens: Int32Array, lengths: Int32Array) => {
    const [start, end] = rangeOf(lengths.length, ranks);
    const some = end > start ? [start, end] : [0, Math.min(1, lengths.length)];
    const before = (row: number) => lengths.subarray(0, row).reduce((sum, length) => sum + length, 0);
    const [from, to] = [before(some[0]!), before(some[1]!)];
    return {
      own: end > start,
      tokens: tokens.subarray(from, to),
      lengths: lengths.subarray(some[0], some[1]),
      from,
      to,
    };
  };
  const all = async (own: boolean, values: Float32Array) =>
    joined(await ranks.gatherBytes(own ? bytesOf(values) : new Uint8Array(0)));
  const shared =
    (ask: ExplainingEngine['scores']) => async (tokens: Int32Array, lengths: Int32Array, forms?: Forms) => {
      const some = part(tokens, lengths);
      return all(some.own, await ask(some.tokens, some.lengths, forms));
    };
  const { measure, scoreTexts: _, scoreTextNow: __, scoresNow: ___, ...rest } = engine;
  return {
    ...rest,
    scores: shared((tokens, lengths, forms) => engine.scores(tokens, lengths, forms)),
    rawScores: shared((tokens, lengths, forms) => engine.rawScores(tokens, lengths, forms)),
    ...(measure && {
      async measure(tokens: Int32Array, lengths: Int32Array, tags: Int32Array, forms?: Forms): Promise<MeasuredTags> {
        const some = part(tokens, lengths);
        const found = await measure(some.tokens, some.lengths, tags.subarray(some.from, some.to), forms);
        return { scores: await all(some.own, found.scores), losses: await all(some.own, found.losses) };
      },
    }),
  };
}
