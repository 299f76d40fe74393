import { Turns } from '../../core/turns.js';
import type { DecodeSettings, TranslatingEngine } from '../../engine/translating.js';
import { BleuCounter, type BleuOptions } from '../../measures/bleu.js';
import { editDistance } from '../../measures/editDistance.js';
import type { SequenceUnitName, Units } from '../../text/units/index.js';
import type { Longest } from './data.js';
import { lengthsOf, pickSequences } from './dataset.js';
import type { HeldPairs } from './held.js';
import { usualLimit } from './limit.js';
import type { Seq2SeqEvaluation, Seq2SeqMeasured } from './result.js';

/** What is measured, and how. */
export interface Measuring {
  engine: TranslatingEngine;
  target: Units<SequenceUnitName>;
  longest: Longest;
  /** Most units of an answer; undefined for {@link usualLimit}. */
  maxLength?: number | undefined;
  decode?: Partial<DecodeSettings>;
  bleu?: BleuOptions;
  signal?: AbortSignal | undefined;
  onMeasured?: ((measured: Seq2SeqMeasured) => void | Promise<void>) | undefined;
}

/** Greedy, one answer each. */
export const GREEDY: DecodeSettings = { beamSize: 1, nBest: 1, lengthPenalty: 1, alignments: false };

/** Sources, or pairs, of one call of the engine, and their units: some tens of milliseconds, and bounded memory. */
const TOGETHER = 512;
const UNITS_TOGETHER = 16_384;

/** Decoded units as text. */
export function textOf(units: Units<SequenceUnitName>, numbers: Iterable<number>): string {
  const decoder = units.decoder();
  let text = '';
  for (const unit of numbers) text += decoder.push(unit);
  return text;
}

/** Blocks of indices with similar `lengths`. */
function* blocks(lengths: Int32Array): Generator<Int32Array, void, undefined> {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  for (let from = 0, to = 0; from < order.length; from = to) {
    for (let units = 0; to < order.length && to - from < TOGETHER && units < UNITS_TOGETHER; to++)
      units += lengths[order[to]!]!;
    yield order.subarray(from, to);
  }
}

/** Measures a model. */
export async function measurePairs(held: HeldPairs, measuring: Measuring): Promise<Seq2SeqEvaluation> {
  const { engine, signal } = measuring;
  const turns = new Turns(signal, undefined, 'the evaluation');
  let sum = 0;
  for (const block of blocks(held.pairs.lengths())) {
    const { tokens, lengths, targets, targetStarts } = held.pairs.gather(block);
    for (const value of Array.from(await engine.logProbabilities(tokens, lengths, targets, targetStarts!)))
      sum -= value;
    await turns.next();
  }
  const loss = sum / held.pairs.target.units.length;
  return { rows: held.length, loss, ...(await measureAnswers(held, measuring, turns)) };
}

/** Measures what a model answers. */
async function measureAnswers(
  { questions, pairs, sources, targets }: HeldPairs,
  { engine, target, longest, maxLength, decode, bleu = {}, signal, onMeasured }: Measuring,
  turns: Turns,
): Promise<Omit<Seq2SeqEvaluation, 'rows' | 'loss'>> {
  const counter = new BleuCounter('evaluate', bleu, false);
  const settings = { ...GREEDY, ...decode };
  const results: (Seq2SeqMeasured & { length: number })[] = new Array(questions.length);
  for (const block of blocks(lengthsOf(sources))) {
    const picked = pickSequences(sources, block);
    const lengths = lengthsOf(picked);
    const limits = lengths.map((length) => maxLength ?? usualLimit(length, longest));
    const { units, starts, scores } = await engine.decode(picked.units, lengths, limits, settings, signal);
    turns.restart();
    for (const [row, index] of block.entries()) {
      const found = units.subarray(starts[row * settings.nBest], starts[row * settings.nBest + 1]);
      const { source, pairs: right } = questions[index]!;
      let [edits, length] = [Number.POSITIVE_INFINITY, 0];
      for (const pair of right) {
        const expected = pairs.target.units.subarray(pairs.target.starts[pair], pairs.target.starts[pair + 1]! - 1);
        const distance = editDistance(found, expected);
        if (distance > edits || (distance === edits && expected.length <= length)) continue;
        [edits, length] = [distance, expected.length];
      }
      const text = textOf(target, found);
      const references = right.map((pair) => targets[pair]!);
      // A tokenizer may split a text in more than one way.
      const same = edits === 0 || references.includes(text);
      const score = scores[row * settings.nBest]!;
      results[index] = { source, text, references, right: same, edits, score, length };
      if (turns.due) await turns.next();
    }
  }
  let [right, edits, units] = [0, 0, 0];
  for (const { length, ...measured } of results) {
    if (measured.right) right++;
    edits += measured.edits;
    units += length;
    counter.add(measured.text, measured.references);
    await onMeasured?.(measured);
    if (turns.due) await turns.next();
  }
  return { accuracy: right / questions.length, unitErrorRate: edits / units, units, edits, bleu: counter.finish() };
}
