import type { SettingsOf } from '../core/options/table.js';
import { wilson } from '../measures/wilson.js';
import type { EvaluatedTags } from '../models/tagger/evaluate.js';
import type { TagRows } from '../models/tagger/rows.js';
import type { TextTagger } from '../models/tagger/tagger.js';
import { looseEntities } from '../text/tags/entities.js';
import { parseTags } from '../text/tags/tag.js';
import { networkFacts } from './facts.js';
import type { MarkedPart, ShownSentence, SpanErrors, TaggerReport } from './format.js';
import type { REPORT } from './options.js';
import { CellSample } from './sample.js';
import { trainingShown } from './training.js';

/** Maximum mistakes and confusions listed, and tokens shown of a sentence. */
const MOST = 100;
const SHOWN_TOKENS = 120;

/** Tags as spans; without a scheme, each token is a span. */
function spansOf(tags: readonly string[], scheme: string | undefined): MarkedPart[] {
  if (scheme === undefined) return tags.map((label, start) => ({ start, end: start + 1, label }));
  return looseEntities(parseTags(tags, 'tags')).map(({ start, end, label }) => ({ start, end, label }));
}

/** The kind of error of each span of a sentence. */
function errorsOf(truth: readonly MarkedPart[], predicted: readonly MarkedPart[], errors: SpanErrors): string[] {
  const kinds: string[] = [];
  const touched = new Set<MarkedPart>();
  for (const found of predicted) {
    const near = truth.filter((span) => span.start < found.end && found.start < span.end);
    for (const span of near) touched.add(span);
    const same = near.find((span) => span.start === found.start && span.end === found.end);
    const labelled = near.some((span) => span.label === found.label);
    let kind: keyof SpanErrors = 'spurious';
    if (same) kind = same.label === found.label ? 'right' : 'label';
    else if (near.length > 0) kind = labelled ? 'borders' : 'both';
    errors[kind]++;
    if (kind !== 'right') kinds.push(kind);
  }
  const missed = truth.filter((span) => !touched.has(span)).length;
  errors.missed += missed;
  if (missed > 0) kinds.push('missed');
  return kinds;
}

/** Gathers a tagger's report. */
export async function taggerReport(
  model: TextTagger,
  rows: TagRows,
  { unknownLabels, texts, seed, signal, onProgress, events }: SettingsOf<typeof REPORT>,
  version: string,
): Promise<TaggerReport> {
  const { scheme } = model;
  const errors: SpanErrors = { right: 0, label: 0, borders: 0, both: 0, missed: 0, spurious: 0 };
  const sample = new CellSample<ShownSentence>(texts, seed);
  let row = 0;
  const onPrediction = ({ tokens, tags, predicted, line }: EvaluatedTags) => {
    row++;
    const [truth, found] = [spansOf(tags, scheme), spansOf(predicted, scheme)];
    const same = (spans: MarkedPart[]) => JSON.stringify(spans);
    const kinds = scheme === undefined ? (same(truth) === same(found) ? [] : ['tag']) : errorsOf(truth, found, errors);
    if (kinds.length === 0) return;
    const own = row;
    const within = ({ end }: MarkedPart) => end <= SHOWN_TOKENS;
    const wrong = scheme === undefined ? (span: MarkedPart) => tags[span.start] !== predicted[span.start] : () => true;
    sample.add(kinds[0]!, () => ({
      row: own,
      ...(line === undefined ? {} : { line }),
      text: tokens.slice(0, SHOWN_TOKENS).join(' '),
      truth: truth.filter((span) => within(span) && wrong(span)),
      predicted: found.filter((span) => within(span) && wrong(span)),
    }));
  };
  const evaluation = await model.evaluate(rows, {
    unknownLabels,
    signal,
    onPrediction,
    onProgress: ({ rows: done }) => onProgress?.({ stage: 'measuring', done }),
  });
  const { tokens, sentences, accuracy, perLabel, confusions, calibration, mistakes } = evaluation;
  return {
    kind: 'tagger',
    version,
    facts: [
      { name: 'scheme', value: scheme ?? 'none' },
      { name: 'labels', value: model.labels.length },
      ...networkFacts(model),
    ],
    training: trainingShown(model.card, events),
    rows: sentences,
    scheme: scheme ?? null,
    tokens,
    accuracy: wilson(Math.round(accuracy * tokens), tokens),
    overall: evaluation.scheme === undefined ? null : evaluation.microAverage,
    perLabel,
    errors: scheme === undefined ? null : errors,
    confusions: confusions.slice(0, MOST),
    calibration,
    mistakes: mistakes.slice(0, MOST),
    sentences: sample.finish(),
  };
}
