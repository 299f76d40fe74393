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
import type { FileRows } from '../../data/readers/source.js';
import { LanguageModel } from '../../models/language/language.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import type { ModelReport } from '../../report/index.js';
import { reportModel, reportPage, withColumn } from '../../report/index.js';
import { REPORT, type ReportOptions, type ReportProgress } from '../../report/options.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
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
  file: string,
  flags: ReportFlags,
  options: ReportOptions,
  onProgress: (progress: ReadProgress) => void,
): Promise<{ opened: FileRows<unknown>; report: ModelReport }> {
  if (model instanceof TextTagger) {
    refuseFlags(flags, PAIR_COLUMNS, [], 'a tagger');
    const opened = openTags(file, flags, onProgress);
    return { opened, report: await reportModel(model, opened, options) };
  }
  if (model instanceof Seq2Seq) {
    refuseFlags(flags, { ...ROWS, ...TAGS }, [PAIRS], 'a model of pairs');
    const opened = openPairs(file, flags, onProgress);
    return { opened, report: await reportModel(model, opened, options) };
  }
  if (model instanceof LanguageModel) {
    refuseFlags(flags, { ...ROWS, ...TAGS, ...PAIR_COLUMNS }, [TEXTS], 'a language model');
    const opened = openCorpus(file, flags, onProgress);
    return { opened, report: await reportModel(model, opened, options) };
  }
  refuseFlags(flags, { ...TAGS, ...PAIR_COLUMNS }, [ROWS], 'a classifier');
  const opened = openRows(file, flags, onProgress);
  const { by } = flags;
  const column = by === undefined ? undefined : openTexts(file, { ...flags, text: by, skipBadRows: true } as RowFlags);
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
export async function reportCommand(modelFile: string, file: string, flags: ReportFlags): Promise<number> {
  const json = flags.json === true;
  const out = flags.out ?? (json ? undefined : 'report.html');
  const { by, labels, events } = flags;
  if (by !== undefined) checkReadAgain('by', file, '--by reads the rows twice');
  if (labels) checkReadAgain('labels', file, '--labels reads the rows twice');
  if (out !== undefined) {
    const inputs = [
      { what: 'the file of the rows', path: file },
      { what: 'the model', path: modelFile },
    ];
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
    const { opened, report } = await reported(model, file, flags, watched, display.update);
    display.stop();
    notes(opened, json);
    const subtitle = `${basename(modelFile)} on ${file === '-' ? 'standard input' : basename(file)}`;
    if (out !== undefined)
      await writeText(
        out,
        reportPage(report, { subtitle, ...(flags.title === undefined ? {} : { title: flags.title }) }),
      );
    if (json) jsonLine({ event: 'end', model: modelFile, file, out: out ?? null, ...report });
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
