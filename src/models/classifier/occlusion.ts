import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import type { ExplainingEngine } from '../../engine/engine.js';

/** Multiply-adds of one call of the engine: about a tenth of a second on two cores, so that stopping is prompt. */
const CALL_WORK = 2 ** 34;
/** Multiply-adds of an occlusion: about two seconds on two cores. With the default network, 2,000 tokens one by one. */
const MOST_WORK = 2 ** 38;
/** Multiply-adds that a token costs at least: small networks spend their time on other things. */
const LEAST_WORK_PER_TOKEN = 2 ** 15;
/** Groups in the longest texts. Fewer would not show which part of the text matters. */
const FEWEST_GROUPS = 16;

/**
 * How many consecutive tokens are removed together, so that an occlusion stays within {@link MOST_WORK}.
 *
 * @param tokens - Tokens that the network reads, at least 1.
 * @param workPerToken - Multiply-adds of the network for a token.
 * @internal
 */
export function groupSizeOf(tokens: number, workPerToken: number): number {
  const groups = Math.floor(MOST_WORK / (tokens * Math.max(LEAST_WORK_PER_TOKEN, workPerToken)));
  return Math.ceil(tokens / Math.max(FEWEST_GROUPS, groups));
}

/** What an occlusion needs of a model. */
export interface OccludedNetwork {
  engine: Pick<ExplainingEngine, 'rawScores' | 'workPerToken'>;
  /** The id of an unknown word. */
  unknown: number;
  /** Outputs of the network. */
  classes: number;
}

/**
 * The logits of a class for the text without each group of consecutive tokens in turn.
 *
 * @param ids - The tokens, at least one.
 * @param groupSize - Tokens of a group; the last may have fewer.
 * @returns one logit per group.
 * @internal
 */
export async function logitsWithout(
  { engine, unknown, classes }: OccludedNetwork,
  ids: Int32Array,
  groupSize: number,
  classIndex: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const groups = Math.ceil(ids.length / groupSize);
  const logits = new Float32Array(groups);
  const tokensPerCall = CALL_WORK / Math.max(LEAST_WORK_PER_TOKEN, engine.workPerToken);
  const rowsPerCall = Math.max(1, Math.floor(tokensPerCall / ids.length));
  const turns = new Turns(signal, undefined, 'the explanation');
  for (let from = 0; from < groups; from += rowsPerCall) {
    const to = Math.min(groups, from + rowsPerCall);
    const lengths = Int32Array.from({ length: to - from }, (_, row) => {
      const left = ids.length - Math.min(groupSize, ids.length - (from + row) * groupSize);
      // A text without tokens is read as one unknown word.
      return Math.max(1, left);
    });
    const tokens = new Int32Array(lengths.reduce((sum, length) => sum + length, 0)).fill(unknown);
    let at = 0;
    for (let group = from; group < to; group++) {
      const [begin, end] = [group * groupSize, Math.min(ids.length, (group + 1) * groupSize)];
      tokens.set(ids.subarray(0, begin), at);
      tokens.set(ids.subarray(end), at + begin);
      at += lengths[group - from]!;
      if (turns.due) await turns.next();
    }
    const scores = await engine.rawScores(tokens, lengths);
    throwIfAborted(signal, 'the explanation');
    for (let group = from; group < to; group++) logits[group] = scores[(group - from) * classes + classIndex]!;
  }
  return logits;
}
