import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { constraint } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkOutputs } from '../../core/outputs.js';
import { jsonLine, note, percent } from '../../core/terminal.js';
import type { FileRows } from '../../data/readers/source.js';
import type { ModelReport } from '../../report/index.js';
import { reportModel, reportPage, withColumn } from '../../report/index.js';
import { REPORT, type ReportOptions, type ReportProgress } from '../../report/options.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { readingDisplay } from '../reading.js';
import { checkReadAgain, noteSkipped, noteWarnings, openRows, openTexts, type RowFlags } from '../rows.js';
import { loadModel } from '../tasks.js';
import { writeText } from '../writeText.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra report`. */
export interface ReportFlags extends RowFlags, DeviceFlag {
  out?: string;
  by?: string;
  labels?: boolean;
  events?: string;
  json?: boolean;
}

/** The events of a training, from the JSON lines that `recurra train --json` wrote; other lines are passed over. */
async function readEvents(file: string): Promise<object[]> {
  const events: object[] = [];
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!line.startsWith('{')) continue;
      try {
        events.push(JSON.parse(line) as object);
      } catch {
        // The last line of a training that was killed may be cut off.
      }
    }
  } catch (error) {
    throw ioError(error as Error, file);
  }
  if (events.length === 0)
    throw constraint('events', `${file} has no events; expected the JSON lines that "recurra train --json" wrote`);
  return events;
}

/** What the report says in a line. */
function words(report: ModelReport): string {
  const { accuracy, macroF1, rows } = report;
  return `${rows.toLocaleString('en-US')} rows, accuracy ${percent(accuracy.value)}, macro F1 ${percent(macroF1.value)}`;
}

const STAGES: Record<ReportProgress['stage'], string> = {
  measuring: 'measuring: rows',
  intervals: 'intervals: resamples',
  explaining: 'explaining: texts',
  judging: 'judging labels: parts',
};

/** Says how far a report is, at most once a second. */
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
    const opened = openRows(file, flags, display.update);
    const rows =
      by === undefined
        ? opened
        : withColumn(opened, by, openTexts(file, { ...flags, text: by, skipBadRows: true } as RowFlags));
    const report = await reportModel(model, rows, { ...given, signal, onProgress: progressNotes(json) });
    display.stop();
    notes(opened, json);
    const subtitle = `${basename(modelFile)} on ${file === '-' ? 'standard input' : basename(file)}`;
    if (out !== undefined) await writeText(out, reportPage(report, { subtitle }));
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
