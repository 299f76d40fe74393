import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkOutputs } from '../../core/outputs.js';
import { jsonLine, note, percent } from '../../core/terminal.js';
import { writeText } from '../../core/writeText.js';
import { PAIR_COLUMNS, PAIRS, type ReadProgress, ROWS, TEXTS } from '../../data/readers/options.js';
import { TAGS } from '../../data/readers/readTags.js';
import { filesInWords } from '../../data/readers/rows.js';
import type { FileRows } from '../../data/readers/source.js';
import { LanguageModel } from '../../models/language/language.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import type { ModelReport } from '../../report/index.js';
import { reportModel, reportPage, withColumn } from '../../report/index.js';
import { REPORT, type ReportOptions, type ReportProgress } from '../../report/options.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { givenOptions } from '../flags.js';
import { CORPUS_COLUMNS, LABELLED_COLUMNS, PAIR_COLUMN_NAMES, TAG_COLUMNS, withModelColumns } from '../modelColumns.js';
import { EXIT, fileFields } from '../output.js';
import { rowInputs } from '../outputs.js';
import { readingDisplay } from '../reading.js';
import {
  checkReadAgain,
  noteSkipped,
  noteWarnings,
  openCorpus,
  openPairs,
  openRows,
  openTags,
  openTexts,
  type RowFlags,
  refuseFlags,
} from '../rows.js';
import { loadModel, type ModelOf } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra report`. */
export interface ReportFlags extends RowFlags, DeviceFlag {
  out?: string;
  by?: string;
  title?: string;
  labels?: boolean;
  events?: string;
  json?: boolean;
}

/** The events of a training, from the JSON lines that `recurra train --json` wrote; other lines are skipped. */
async function readEvents(file: string): Promise<object[]> {
  const events: object[] = [];
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!line.startsWith('{')) continue;
      try {
        events.push(JSON.parse(line) as object);
      } catch {
        // The last line of a killed training may be truncated.
      }
    }
  } catch (error) {
    throw ioError(error as Error, file);
  }
  if (events.length === 0)
    throw constraint('events', `${file} has no events; expected the JSON lines that "recurra train --json" wrote`);
  return events;
}

/** The report in one line. */
function words(report: ModelReport): string {
  const rows = report.rows.toLocaleString('en-US');
  if (report.kind === 'language') return `${rows} ${report.units}, perplexity ${report.perplexity.toPrecision(4)}`;
  const accuracy = `accuracy ${percent(report.accuracy.value)}`;
  if (report.kind === 'seq2seq')
    return `${counted(report.rows, 'source')}, ${accuracy}, BLEU ${report.bleu.toFixed(1)}`;
  if (report.kind === 'classifier')
    return `${counted(report.rows)}, ${accuracy}, macro F1 ${percent(report.macroF1.value)}`;
  const { overall } = report;
  return `${counted(report.rows, 'sentence')}, ${overall ? `F1 ${percent(overall.f1)}` : accuracy}`;
}

/** Opens the rows that a model of this kind is measured on, and reports. */
async function reported(
  model: ModelOf<'report'>,
  files: readonly string[],
  given: ReportFlags,
  options: ReportOptions,
  onProgress: (progress: ReadProgress) => void,
): Promise<{ opened: FileRows<unknown>; report: ModelReport }> {
  if (model instanceof TextTagger) {
    const { flags, explained } = withModelColumns(model, given, TAG_COLUMNS);
    refuseFlags(flags, PAIR_COLUMNS, [], 'a tagger');
    const opened = explained(openTags(files, flags, onProgress));
    return { opened, report: await reportModel(model, opened, options) };
  }
  if (model instanceof Seq2Seq) {
    const { flags, explained } = withModelColumns(model, given, PAIR_COLUMN_NAMES);
    refuseFlags(flags, { ...ROWS, ...TAGS }, [PAIRS], 'a model of pairs');
    const opened = explained(openPairs(files, flags, onProgress));
    return { opened, report: await reportModel(model, opened, options) };
  }
  if (model instanceof LanguageModel) {
    const { flags, explained } = withModelColumns(model, given, CORPUS_COLUMNS);
    refuseFlags(flags, { ...ROWS, ...TAGS, ...PAIR_COLUMNS }, [TEXTS], 'a language model');
    const opened = explained(openCorpus(files, flags, onProgress));
    return { opened, report: await reportModel(model, opened, options) };
  }
  const { flags, explained } = withModelColumns(model, given, LABELLED_COLUMNS);
  refuseFlags(flags, { ...TAGS, ...PAIR_COLUMNS }, [ROWS], 'a classifier');
  const opened = explained(openRows(files, flags, onProgress));
  const { by } = flags;
  const column = by === undefined ? undefined : openTexts(files, { ...flags, text: by, skipBadRows: true } as RowFlags);
  const rows = column ? withColumn(opened, by!, column) : opened;
  return { opened, report: await reportModel(model, rows, options) };
}

const STAGES: Record<ReportProgress['stage'], string> = {
  measuring: 'measuring: rows',
  intervals: 'intervals: resamples',
  explaining: 'explaining: texts',
  judging: 'judging labels: parts',
};

/** Shows the progress of a report, at most once a second. */
function progressNotes(json: boolean): (progress: ReportProgress) => void {
  let last = performance.now();
  return ({ stage, done }) => {
    const now = performance.now();
    if (now - last < 1_000) return;
    last = now;
    if (json) jsonLine({ event: 'progress', stage, done });
    else note(`${STAGES[stage]} ${done.toLocaleString('en-US')}`);
  };
}

/** `recurra report`: writes a page that shows what a model does on rows. */
export async function reportCommand(modelFile: string, files: readonly string[], flags: ReportFlags): Promise<number> {
  const json = flags.json === true;
  const out = flags.out ?? (json ? undefined : 'report.html');
  const { by, labels, events } = flags;
  if (by !== undefined) checkReadAgain('by', files, '--by reads the rows twice');
  if (labels) checkReadAgain('labels', files, '--labels reads the rows twice');
  if (out !== undefined) {
    const inputs = [...rowInputs(files), { what: 'the model', path: modelFile }];
    if (events !== undefined) inputs.push({ what: 'the file of events', path: events });
    await checkOutputs([{ option: 'out', what: 'the report', path: out }], inputs);
  }
  const given = {
    ...givenOptions<ReportOptions>(REPORT, flags),
    ...(events !== undefined && { events: await readEvents(events) }),
  };
  const display = readingDisplay(json);
  const { signal, release } = abortOnSignals('stopping');
  const model = await loadModel('report', modelFile, deviceOption(flags));
  try {
    const watched = { ...given, signal, onProgress: progressNotes(json) };
    const { opened, report } = await reported(model, files, flags, watched, display.update);
    display.stop();
    notes(opened, json);
    const names = files.map((file) => (file === '-' ? 'standard input' : basename(file)));
    const subtitle = `${basename(modelFile)} on ${filesInWords({ files: names })}`;
    if (out !== undefined)
      await writeText(
        out,
        reportPage(report, { subtitle, ...(flags.title === undefined ? {} : { title: flags.title }) }),
      );
    if (json) jsonLine({ event: 'end', model: modelFile, ...fileFields(files), out: out ?? null, ...report });
    else process.stdout.write(`${out}: ${words(report)}\n`);
    return EXIT.ok;
  } finally {
    display.stop();
    release();
    await model.close();
  }
}

function notes(rows: FileRows<unknown>, json: boolean): void {
  noteWarnings(rows, json);
  noteSkipped(rows);
}
