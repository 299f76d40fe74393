import { constraint } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { choice, custom, signal } from '../../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import { throwIfAborted } from '../../core/signals.js';
import { Turns } from '../../core/turns.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import { argmaxOf } from '../../measures/probabilities.js';
import { HuggingFaceTokenizer } from '../../text/huggingFace.js';
import { locateTokens, type Span } from '../../text/locate.js';
import { withoutMarks } from '../../text/marks.js';
import type { TokenSettings } from '../../text/options.js';
import { readingOf } from '../../text/reading.js';
import type { Vocab } from '../../text/vocab.js';
import type { Expert } from './linear.js';

/** How {@link TextClassifier.explain} computes contributions. */
export type ExplainMethod = 'gradientInput' | 'occlusion';

/** Options of {@link TextClassifier.explain}. */
export interface ExplainOptions {
  /** The label to explain. Default: the most probable one. */
  label?: string | undefined;
  /**
   * `gradientInput`: the gradient of the logit with respect to the token's word vector, times that vector; one forward
   * and one backward pass, exact to first order. `occlusion`: how much the logit drops if the token is removed; exact,
   * but a text of n tokens is computed n times. Default `'gradientInput'`.
   */
  method?: ExplainMethod | undefined;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
}

/** A token and what it contributed. */
export interface ExplainedToken {
  /** The token, from the tokenizer. */
  token: string;
  /** Its index in the text, from 0; for an n-gram, that of its first token. */
  position: number;
  /** Its source in the text, `text.slice(start, end)`; undefined if it could not be located. */
  source: string | undefined;
  /** Where `source` begins, in UTF-16 code units. */
  start: number | undefined;
  /** Where `source` ends. */
  end: number | undefined;
  /**
   * Whether it is in the vocabulary. If not, the model read it as `<unk>`, and the contribution is that of an unknown
   * word.
   */
  known: boolean;
  /** Whether the model read it; false if it was cut off by the model's `maxLength`. */
  read: boolean;
  /**
   * Its contribution to the network's logit of the label; negative if it is evidence against the label, 0 if it was not
   * read. For a model without a network, it is {@link linear}.
   */
  contribution: number;
  /**
   * The contribution of its characters to the linear model's score of the label, if there is such a model: their share
   * of every n-gram that contains them. The linear model reads the whole text; for an n-gram of tokens it is 0.
   */
  linear?: number | undefined;
}

/** An explanation of a label's probability. */
export interface Explanation {
  /** The label explained. */
  label: string;
  /** Its probability, as in {@link TextClassifier.predict}. */
  probability: number;
  /** The network's output for the label before softmax or sigmoid; contributions are parts or changes of it. */
  logit: number;
  /** The linear model's score for the label, if there is such a model; positive values are evidence for it. */
  linear?: number | undefined;
  /** The most probable label. */
  predicted: string;
  /** The method; `'linear'` for a model without a network, whose contributions are exact parts of its score. */
  method: ExplainMethod | 'linear';
  /** The text's tokens in order, including those that were cut off; n-grams come after their tokens. */
  tokens: ExplainedToken[];
}

/** The table of {@link ExplainOptions}. */
export const EXPLAIN = {
  label: option(
    custom<string>('a label of the model', (_, value) => value as string),
    { defaultText: 'the most probable one', flag: '<label>', help: 'label to explain' },
  ),
  method: option(choice(['gradientInput', 'occlusion']), {
    default: 'gradientInput',
    flag: '<method>',
    help: 'method of the explanation',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
} as const satisfies TableOf<ExplainOptions>;

/**
 * Checks {@link ExplainOptions} and fills in the defaults.
 *
 * @throws ArgumentError; `UNKNOWN_LABEL` for a label that the model does not have.
 */
export function explainSettings(options: ExplainOptions, labels: readonly string[]): SettingsOf<typeof EXPLAIN> {
  checkNames('TextClassifier.explain', options, EXPLAIN);
  const settings = settingsOf(EXPLAIN, options);
  const { label } = settings;
  if (label !== undefined && !labels.includes(label)) {
    const known = labels.map((name) => JSON.stringify(name));
    throw constraint(
      'label',
      `the model has no label ${JSON.stringify(label)}; it has ${listed(known)}`,
      'UNKNOWN_LABEL',
    );
  }
  return settings;
}

/** Tokens per call of the engine for an occlusion: some tenths of a second of work, so that stopping is prompt. */
const TOKENS_PER_CALL = 262_144;

/** The logits of a class for the text without each of its tokens in turn. */
async function occludedLogits(
  engine: ExplainingEngine,
  ids: Int32Array,
  unknown: number,
  classes: number,
  classIndex: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const logits = new Float32Array(ids.length);
  // A text without tokens is read as one unknown word.
  const length = Math.max(1, ids.length - 1);
  const rows = Math.max(1, Math.floor(TOKENS_PER_CALL / length));
  const turns = new Turns(signal, undefined, 'the explanation');
  for (let from = 0; from < ids.length; from += rows) {
    const count = Math.min(rows, ids.length - from);
    const tokens = new Int32Array(count * length).fill(unknown);
    for (let row = 0; row < count && ids.length > 1; row++) {
      tokens.set(ids.subarray(0, from + row), row * length);
      tokens.set(ids.subarray(from + row + 1), row * length + from + row);
      if (turns.due) await turns.next();
    }
    const all = await engine.rawScores(tokens, new Int32Array(count).fill(length));
    throwIfAborted(signal, 'the explanation');
    for (let row = 0; row < count; row++) logits[from + row] = all[row * classes + classIndex]!;
  }
  return logits;
}

/** The parts that explain a text. */
export interface Explainer {
  engine: ExplainingEngine;
  vocab: Vocab;
  labels: readonly string[];
  /** The linear model, if there is one. */
  expert?: Expert | undefined;
  /** Whether there is a network. */
  recurrent: boolean;
}

/** The positions in a text of the tokens that are read. */
async function spansBehindMarks(tokenizer: HuggingFaceTokenizer, text: string): Promise<Span[]> {
  const read = withoutMarks(text);
  const before = text.length - read.length;
  return (await tokenizer.spans(read)).map(([start, end]) => [start + before, end + before]);
}

/**
 * Explains one text.
 *
 * @internal
 */
export async function explainText(
  { engine, vocab, labels, expert, recurrent }: Explainer,
  settings: TokenSettings,
  text: string,
  { label, method, signal }: SettingsOf<typeof EXPLAIN>,
): Promise<Explanation> {
  const turns = new Turns(signal, undefined, 'the explanation');
  const { own, read } = await readingOf(text, settings);
  const { tokenizer } = settings;
  const spans: readonly Span[] =
    tokenizer instanceof HuggingFaceTokenizer
      ? await spansBehindMarks(tokenizer, text)
      : await turns.run(locateTokens(text, own, tokenizer === 'basic_english'));
  const unknown = vocab.defaultIndex!;
  const ids = read.length === 0 ? Int32Array.of(unknown) : vocab.encode(read.map(({ token }) => token));
  const given = label === undefined ? -1 : labels.indexOf(label);
  let explanation = await engine.explain(ids, given);
  const probabilities = expert ? await expert.later([text], explanation.scores) : explanation.scores;
  throwIfAborted(signal, 'the explanation');
  const best = argmaxOf(probabilities);
  // The network alone may prefer another label, and probabilities may be equal when logits are not.
  if (given < 0 && best !== explanation.output) explanation = await engine.explain(ids, best);
  const { output: classIndex, raw: logits, contributions } = explanation;
  throwIfAborted(signal, 'the explanation');
  const logit = logits[classIndex]!;
  const parts = await expert?.explain(text, classIndex, spans);
  throwIfAborted(signal, 'the explanation');
  if (method === 'occlusion' && recurrent) {
    const without = await occludedLogits(engine, ids, unknown, labels.length, classIndex, signal);
    contributions.set(without.map((value) => logit - value));
  }
  const tokens: ExplainedToken[] = [];
  const readAlone = new Map<number, number>();
  const explained = (token: string, first: number, last: number, at: number | undefined): ExplainedToken => {
    const linear = parts && (first === last ? parts.contributions[first]! : 0);
    const [start, end] = [spans[first]?.[0], spans[last]?.[1]];
    const found = start !== undefined && end !== undefined;
    return {
      token,
      position: first,
      source: found ? text.slice(start, end) : undefined,
      start: found ? start : undefined,
      end: found ? end : undefined,
      known: vocab.get(token) !== unknown,
      read: at !== undefined,
      contribution: recurrent ? (at === undefined ? 0 : contributions[at]!) : linear!,
      ...(parts && { linear }),
    };
  };
  for (const [at, { first, last }] of read.entries()) if (first === last) readAlone.set(first, at);
  for (const [first, token] of own.entries()) {
    tokens.push(explained(token, first, first, readAlone.get(first)));
    if (turns.due) await turns.next();
  }
  for (const [at, { token, first, last }] of read.entries()) {
    if (first !== last) tokens.push(explained(token, first, last, at));
  }
  return {
    label: labels[classIndex]!,
    probability: probabilities[classIndex]!,
    logit: recurrent ? logit : parts!.score,
    ...(parts && { linear: parts.score }),
    predicted: labels[best]!,
    method: recurrent ? method : 'linear',
    tokens,
  };
}
