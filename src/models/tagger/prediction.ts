import { TAG_SCORES } from '../../engine/network.js';
import type { TokenSpan } from '../../text/tags/entities.js';
import type { Sentence } from './encode.js';
import type { TagSet } from './tagSet.js';

/** A labelled part of a tagger's input. */
export interface TaggedSpan {
  /**
   * Start: in a text, the index of its first UTF-16 code unit, so that `text.slice(start, end)` is the span; in tokens,
   * the index of its first token.
   */
  start: number;
  /** End, exclusive. */
  end: number;
  /** Its label, from the training rows. */
  label: string;
  /** Its text; tokens are joined by spaces. */
  text: string;
  /** Probability of a span with exactly these borders and this label, from 0 to 1. */
  probability: number;
}

/** A tagger's answer for tokens. */
export interface Tagging {
  /** The given tokens, or those of the text. */
  tokens: readonly string[];
  /** A tag for each of them, in the scheme of the training rows. */
  tags: readonly string[];
  /** Probability of each tag at its token, from 0 to 1. */
  probabilities: readonly number[];
  /** The spans of the tags, in order and without overlaps. Empty if tags have no scheme. */
  spans: readonly TaggedSpan[];
  /** How many of the tokens are in the vocabulary. */
  knownTokens: number;
}

/** A tagger's answer for a text. */
export interface TextTagging extends Tagging {
  /** Where each token begins: `text.slice(starts[i], starts[i] + tokens[i].length) === tokens[i]`. */
  starts: readonly number[];
}

/** The engine's outputs for a sentence's tokens, from `start` on. */
export function givenTags(scores: Float32Array, start: number, count: number): Int32Array {
  const tags = new Int32Array(count);
  for (let token = 0; token < count; token++) tags[token] = scores[start + TAG_SCORES * token]!;
  return tags;
}

/**
 * The probability that a span's tokens have exactly these tags: for a chain,
 * `p(t_s ... t_e) = p(t_s) * product over i from s to e - 1 of p(t_i, t_i+1) / p(t_i)`. Parts of a long sentence, of
 * `maxLength` tokens each, are independent of each other.
 */
export function spanProbability(scores: Float32Array, start: number, span: TokenSpan, maxLength: number): number {
  const at = (token: number) => start + TAG_SCORES * token;
  let probability = scores[at(span.start) + 1]!;
  for (let token = span.start; token < span.end - 1; token++) {
    const own = scores[at(token) + 1]!;
    if ((token + 1) % maxLength === 0) probability *= scores[at(token + 1) + 1]!;
    else probability = own > 0 ? (probability * scores[at(token) + 2]!) / own : 0;
  }
  return Math.min(1, Math.max(0, probability));
}

/** Makes an answer from the engine's scores of a sentence. */
export function taggingOf(
  { set, maxLength }: { set: TagSet; maxLength: number },
  sentence: Sentence,
  scores: Float32Array,
  start: number,
): Tagging {
  const { tokens, text, starts, known, count } = sentence;
  const ids = givenTags(scores, start, count);
  const found = set.entities ? set.spans(ids) : [];
  const probabilities = new Array<number>(count);
  for (let token = 0; token < count; token++) probabilities[token] = scores[start + TAG_SCORES * token + 1]!;
  const spans = found.map((span): TaggedSpan => {
    const probability = spanProbability(scores, start, span, maxLength);
    const { label } = span;
    if (starts === undefined || text === undefined) {
      return {
        start: span.start,
        end: span.end,
        label,
        text: tokens.slice(span.start, span.end).join(' '),
        probability,
      };
    }
    const last = span.end - 1;
    const [from, to] = [starts[span.start]!, starts[last]! + tokens[last]!.length];
    return { start: from, end: to, label, text: text.slice(from, to), probability };
  });
  return {
    tokens,
    tags: set.written(ids, found),
    probabilities,
    spans,
    knownTokens: known,
    ...(starts === undefined ? {} : { starts }),
  };
}
