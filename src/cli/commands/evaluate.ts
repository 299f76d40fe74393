import { AtomicLines } from '../../core/atomicLines.js';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { listed } from '../../core/listed.js';
import { checkOutputs } from '../../core/outputs.js';
import { shownLabels } from '../../core/printable.js';
import { jsonLine, percent } from '../../core/terminal.js';
import { PAIR_COLUMNS, PAIRS, type ReadProgress, ROWS, TEXTS } from '../../data/readers/options.js';
import { TAGS } from '../../data/readers/readTags.js';
import type { FileRows } from '../../data/readers/source.js';
import type { Evaluation, ExclusiveEvaluation, SureRows } from '../../measures/evaluation.js';
import { formatClassificationReport, formatConfusionMatrix, formatConfusions } from '../../measures/format.js';
import { EVALUATION, type EvaluationOptions } from '../../models/classifier/evaluate.js';
import { LanguageModel } from '../../models/language/language.js';
import type { LanguageResult } from '../../models/language/validation.js';
import { PAIR_EVALUATION, type Seq2SeqEvaluationOptions } from '../../models/seq2seq/evaluate.js';
import type { Seq2SeqEvaluation } from '../../models/seq2seq/result.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TAG_EVALUATION, type TagEvaluationOptions } from '../../models/tagger/evaluate.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { COMPUTE } from '../../training/options/train.js';
import { noteFewRows } from '../answering.js';
import { type LoadFlags, loadOptions } from '../device.js';
import { givenOptions } from '../flags.js';
import { CORPUS_COLUMNS, LABELLED_COLUMNS, PAIR_COLUMN_NAMES, TAG_COLUMNS, withModelColumns } from '../modelColumns.js';
import { EXIT } from '../output.js';
import { rowInputs } from '../outputs.js';
import { readingDisplay } from '../reading.js';
import {
  noteSkipped,
  noteWarnings,
  openCorpus,
  openPairs,
  openRows,
  openTags,
  type RowFlags,
  refuseFlags,
} from '../rows.js';
import { onStopSignal } from '../signals.js';
import { tagReport } from '../tagReport.js';
import { loadModel, type ModelOf, TAGGED } from '../tasks.js';

/** Flags of `recurra evaluate`. */
export interface EvaluateFlags extends RowFlags, LoadFlags {
  json?: boolean;
  predictions?: string;
}

/** Above this many labels the confusion matrix no longer fits a terminal, so the worst pairs are listed instead. */
const MATRIX_LABELS = 12;

/** Notes on measures that count as 0 because their denominator is 0. */
function undefinedNotes({ undefinedMeasures, labels }: Evaluation): string[] {
  const shown = shownLabels(labels);
  const shownOf = new Map(labels.map((label, index) => [label, shown[index]!]));
  const without = (measure: string) => {
    const names = undefinedMeasures
      .filter((entry) => entry.measure === measure)
      .map(({ label }) => shownOf.get(label)!);
    return listed(names, 10);
  };
  const [rows, predictions] = [without('recall'), without('precision')];
  if (!rows && !predictions) return [];
  const notes = [rows && `no rows of: ${rows}`, predictions && `never predicted: ${predictions}`].filter(Boolean);
  return [`${notes.join('\n')}\n(undefined measures count as 0 in the averages)`];
}

function confusions(evaluation: ExclusiveEvaluation): string[] {
  const parts = evaluation.labels.length <= MATRIX_LABELS ? [formatConfusionMatrix(evaluation)] : [];
  const worst = formatConfusions(evaluation);
  return worst ? [...parts, `most often taken for another\n${worst}`] : parts;
}

/** What is left with a threshold. */
function sureWords({ minProbability, rows, right, coverage, precision }: SureRows, all: number): string {
  const share =
    precision === null ? '' : `, of which ${right.toLocaleString('en-US')} (${percent(precision)}) are right`;
  return `from a probability of ${minProbability.toFixed(4)} on: ${rows.toLocaleString('en-US')} of ${counted(all)} (${percent(coverage)}) keep their label${share}`;
}

function summary(evaluation: Evaluation): string {
  const { rows, loss, accuracy } = evaluation;
  if (evaluation.multiLabel) {
    const { truth, predicted } = evaluation.rowsWithoutLabel;
    return (
      `rows without a label: ${truth} in truth, ${predicted} as predicted\n` +
      `${counted(rows)}, loss ${loss.toFixed(4)}, Hamming loss ${evaluation.hammingLoss.toFixed(4)}, all labels right ${percent(accuracy)}`
    );
  }
  const top = evaluation.topK.map(({ k, accuracy: share }) => `, top ${k} ${percent(share)}`).join('');
  const { sure } = evaluation;
  return [
    `loss ${loss.toFixed(4)} (cross entropy, in nats), calibration error ${percent(evaluation.calibration.error)}${top}`,
    ...(sure ? [sureWords(sure, rows)] : []),
    `${counted(rows)}, accuracy ${percent(accuracy)}`,
  ].join('\n');
}

function report(evaluation: Evaluation): string {
  const parts = [
    `labels by F1, the lowest first\n${formatClassificationReport(evaluation)}`,
    ...(evaluation.multiLabel ? [] : confusions(evaluation)),
    ...undefinedNotes(evaluation),
    summary(evaluation),
  ];
  return parts.join('\n\n');
}

/** The report of a language model. */
function languageReport({ rows, loss, perplexity, bitsPerCharacter }: LanguageResult, units: string): string {
  return (
    `${rows} ${units}, loss ${loss.toFixed(4)} nats for each, perplexity ${perplexity.toPrecision(4)}, ` +
    `${bitsPerCharacter.toFixed(4)} bits per character`
  );
}

/** The report of a sequence-to-sequence model. */
function pairReport({ rows, loss, accuracy, unitErrorRate, edits, units, bleu }: Seq2SeqEvaluation): string {
  return (
    `${counted(rows, 'source')}, ${percent(accuracy)} answered right (${percent(1 - accuracy)} wrong)\n` +
    `${counted(edits, 'edit')} in ${counted(units, 'unit')}, ${percent(unitErrorRate)}\n` +
    `BLEU ${bleu.score.toFixed(1)}, loss ${loss.toFixed(4)} nats for each unit`
  );
}

/** Progress and cancellation of an evaluation. */
interface Watching {
  signal: AbortSignal;
  onPrediction?: (row: object) => void | Promise<void>;
}

/** The result of an evaluation, as data and as text. */
interface Measured {
  evaluation: object;
  words(): string;
}

/** Evaluates a model of any kind on a file of matching rows. */
function measuring(
  model: ModelOf<'evaluate'>,
  files: readonly string[],
  given: EvaluateFlags,
  onProgress: (progress: ReadProgress) => void,
): { rows: FileRows<unknown>; measure(watch: Watching): Promise<Measured> } {
  const pairFlags = { ...PAIR_COLUMNS, ...PAIR_EVALUATION };
  const { minProbability, precision } = EVALUATION;
  if (model instanceof Seq2Seq) {
    const { flags, explained } = withModelColumns(model, given, PAIR_COLUMN_NAMES);
    const others = { ...ROWS, ...TAGS, ...EVALUATION, ...TAG_EVALUATION, device: COMPUTE.device };
    refuseFlags(flags, others, [PAIRS, PAIR_EVALUATION], 'a model of pairs');
    const rows = explained(openPairs(files, flags, onProgress));
    const options = givenOptions<Seq2SeqEvaluationOptions>(PAIR_EVALUATION, flags);
    return {
      rows,
      async measure(watch) {
        const evaluation = await model.evaluate(rows, { ...options, ...watch });
        return { evaluation, words: () => pairReport(evaluation) };
      },
    };
  }
  if (model instanceof TextTagger) {
    const { flags, explained } = withModelColumns(model, given, TAG_COLUMNS);
    refuseFlags(flags, { ...pairFlags, minProbability, precision }, [], 'a tagger');
    const rows = explained(openTags(files, flags, onProgress));
    const options = givenOptions<TagEvaluationOptions>(TAG_EVALUATION, flags);
    return {
      rows,
      async measure(watch) {
        const evaluation = await model.evaluate(rows, { ...options, ...watch });
        return { evaluation, words: () => tagReport(evaluation) };
      },
    };
  }
  if (model instanceof LanguageModel) {
    const { flags, explained } = withModelColumns(model, given, CORPUS_COLUMNS);
    const labelled = { ...ROWS, ...TAGS, ...pairFlags, ...EVALUATION, ...TAG_EVALUATION, device: COMPUTE.device };
    refuseFlags(flags, labelled, [TEXTS], 'a language model');
    if (flags.predictions !== undefined)
      throw constraint('predictions', '--predictions does not apply to a language model, which predicts each unit');
    const rows = explained(openCorpus(files, flags, onProgress));
    return {
      rows,
      async measure({ signal }) {
        const evaluation = { units: model.units, ...(await model.evaluate(rows, { signal })) };
        return { evaluation, words: () => languageReport(evaluation, model.units) };
      },
    };
  }
  const { flags, explained } = withModelColumns(model, given, LABELLED_COLUMNS);
  const tagged = files.find((file) => TAGGED.test(file));
  if (tagged !== undefined && flags.format === undefined)
    throw constraint(
      'file',
      `${tagged} contains tokens with tags, which only a tagger can be measured on; the model is a classifier`,
    );
  refuseFlags(flags, { ...TAGS, ...TAG_EVALUATION, ...pairFlags }, [ROWS, EVALUATION], 'a classifier');
  noteFewRows(model, givenOptions<EvaluationOptions>(EVALUATION, flags).precision);
  const rows = explained(openRows(files, flags, onProgress));
  return {
    rows,
    async measure(watch) {
      const evaluation = await model.evaluate(rows, {
        ...givenOptions<EvaluationOptions>(EVALUATION, flags),
        ...watch,
      });
      return { evaluation, words: () => report(evaluation) };
    },
  };
}

/** `recurra evaluate`: measures a model on labelled rows. */
export async function evaluateCommand(
  modelFile: string,
  files: readonly string[],
  flags: EvaluateFlags,
): Promise<number> {
  if (flags.predictions !== undefined) {
    const predictions = { option: 'predictions', what: 'the file of predictions', path: flags.predictions };
    await checkOutputs([predictions], [...rowInputs(files), { what: 'the model', path: modelFile }]);
  }
  const display = readingDisplay(flags.json === true);
  const model = await loadModel('evaluate', modelFile, loadOptions(flags));
  const { rows, measure } = measuring(model, files, flags, display.update);
  const lines = flags.predictions === undefined ? undefined : await AtomicLines.open(flags.predictions);
  const controller = new AbortController();
  // Without a file to clean up, a signal ends the process as usual.
  const release = lines ? onStopSignal(() => controller.abort()) : () => {};
  let measured: Measured;
  try {
    measured = await measure({
      signal: controller.signal,
      ...(lines ? { onPrediction: (row: object) => lines.write(JSON.stringify(row)) } : {}),
    });
    await lines?.finish();
  } catch (error) {
    if (controller.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    display.stop();
    noteWarnings(rows, flags.json === true);
    await lines?.discard();
    release();
  }
  noteSkipped(rows);
  if (flags.json) {
    const end = { event: 'end', model: modelFile, predictions: flags.predictions ?? null };
    jsonLine({ ...end, ...measured.evaluation, skipped: rows.skipped });
  } else {
    process.stdout.write(`${measured.words()}\n`);
  }
  return EXIT.ok;
}
