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
import { groupSizeOf, logitsWithout } from './occlusion.js';

/** How {@link TextClassifier.explain} computes contributions. */
export type ExplainMethod = (typeof EXPLAIN_METHODS)[number];

/** The methods; the first is the default. */
export const EXPLAIN_METHODS = ['occlusion', 'gradientInput'] as const;

/** Options of {@link TextClassifier.explain}. */
export interface ExplainOptions {
  /** The label to explain. Default: the most probable one. */
  label?: string | undefined;
  /**
   * `occlusion`: how much the logit drops if the token is removed. A text of n tokens is computed n times, in batches;
   * in a long text several tokens are removed together, see {@link Explanation.groupSize}. `gradientInput`: the
   * gradient of the logit with respect to the token's word vector, times that vector. It needs one forward and one
   * backward pass and holds for small changes only: where the model is sure, its signs are often wrong. Default
   * `'occlusion'`.
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
  /**
   * Tokens that occlusion removed together: 1, or more if the text is so long that removing them one by one would take
   * more than about two seconds. Each token of a group then has an equal share of what the group contributed. Undefined
   * for the other methods.
   */
  groupSize?: number | undefined;
  /** The text's tokens in order, including those that were cut off; n-grams come after their tokens. */
  tokens: ExplainedToken[];
}

/** The table of {@link ExplainOptions}. */
export const EXPLAIN = {
  label: option(
    custom<string>('a label of the model', (_, value) => value as string),
    { defaultText: 'the most probable one', flag: '<label>', help: 'label to explain' },
  ),
  method: option(choice(EXPLAIN_METHODS), {
    default: 'occlusion',
    flag: '<method>',
    help: 'method of the explanation: leave tokens out, or gradient times input, which is faster on long texts',
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
  let groupSize: number | undefined;
  if (method === 'occlusion' && recurrent) {
    groupSize = groupSizeOf(ids.length, engine.workPerToken);
    const network = { engine, unknown, classes: labels.length };
    const without = await logitsWithout(network, ids, groupSize, classIndex, signal);
    for (let at = 0; at < ids.length; at++) {
      const group = Math.floor(at / groupSize);
      const members = Math.min(groupSize, ids.length - group * groupSize);
      contributions[at] = (logit - without[group]!) / members;
    }
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
    ...(groupSize !== undefined && { groupSize }),
    tokens,
  };
}
