import { keepLargest } from '../core/largest.js';
import type { SettingsOf } from '../core/options/table.js';
import type { Pairs } from '../data/readers/rows.js';
import { beginning } from '../inspection/found.js';
import { wilson } from '../measures/wilson.js';
import type { Seq2SeqMeasured } from '../models/seq2seq/result.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { networkFacts } from './facts.js';
import type { SequenceReport, ShownPair } from './format.js';
import { Groups } from './groups.js';
import type { REPORT } from './options.js';
import { trainingShown } from './training.js';

/** Maximum pairs listed, and code units of each text. */
const MOST = 100;
const SHOWN = 300;

/** Gathers a sequence-to-sequence model's report. */
export async function sequenceReport(
  model: Seq2Seq,
  pairs: Pairs,
  { signal, onProgress, events }: SettingsOf<typeof REPORT>,
  version: string,
): Promise<SequenceReport> {
  const groups = new Groups(undefined);
  const worst: (ShownPair & { rate: number })[] = [];
  let row = 0;
  const onPrediction = ({ source, text, references, right, edits }: Seq2SeqMeasured) => {
    row++;
    groups.add({}, [...source].length, 0, right);
    onProgress?.({ stage: 'measuring', done: row });
    if (right) return;
    const rate = edits / Math.max(1, [...references[0]!].length);
    keepLargest(
      worst,
      MOST,
      rate,
      (each) => each.rate,
      () => ({
        row,
        source: beginning(source, SHOWN),
        text: beginning(text, SHOWN),
        references: [...new Set(references)].slice(0, 5).map((each) => beginning(each, SHOWN)),
        edits,
        rate,
      }),
    );
  };
  const { rows, accuracy, unitErrorRate, bleu, loss } = await model.evaluate(pairs, {
    onPrediction,
    ...(signal && { signal }),
  });
  const { source, target } = model.units;
  const [lengths] = groups.finish();
  return {
    kind: 'seq2seq',
    version,
    facts: [{ name: 'units read', value: source }, { name: 'units written', value: target }, ...networkFacts(model)],
    training: trainingShown(model.card, events),
    rows,
    accuracy: wilson(Math.round(accuracy * rows), rows),
    unitErrorRate,
    bleu: bleu.score,
    loss,
    groupings: [{ ...lengths!, by: 'characters of the source' }],
    worst: worst.map(({ rate: _, ...pair }) => pair),
  };
}
