import { constraint } from '../../core/errors.js';
import { jsonLine, note } from '../../core/terminal.js';
import type { ReadProgress } from '../../data/readers/options.js';
import { filesInWords } from '../../data/readers/rows.js';
import type { FileRows } from '../../data/readers/source.js';
import { adviceOnDoubts } from '../../inspection/advice.js';
import { type DoubtfulRow, findDoubtfulRows } from '../../inspection/doubtfulLabels.js';
import { inspectRows } from '../../inspection/inspect.js';
import {
  DOUBT,
  type DoubtOptions,
  INSPECT,
  type InspectedRows,
  type InspectOptions,
  MOST_EXAMPLES,
} from '../../inspection/options.js';
import { givenOptions } from '../flags.js';
import { inspectionReport } from '../inspectionReport.js';
import { EXIT, fileFields } from '../output.js';
import { readingDisplay } from '../reading.js';
import { checkReadAgain, noteWarnings, openRows, openTexts, type RowFlags } from '../rows.js';
import { TAGGED } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra inspect`. */
export interface InspectFlags extends RowFlags {
  against?: string;
  labels?: boolean;
  all?: boolean;
  json?: boolean;
}

/** Opens a file of texts, with labels if the flags name their column or the format has one. */
function open(
  files: string | readonly string[],
  flags: RowFlags,
  labelled: boolean,
  onProgress: (progress: ReadProgress) => void,
): FileRows<unknown> {
  // Bad rows are a finding.
  const all = { ...flags, skipBadRows: true };
  return labelled ? openRows(files, all, onProgress) : openTexts(files, all);
}

/** `recurra inspect`: examines files of rows before training. */
export async function inspectCommand(files: readonly string[], flags: InspectFlags): Promise<number> {
  const options = givenOptions<InspectOptions & { against?: unknown }>(INSPECT, flags) as InspectOptions;
  if (flags.all && options.examples !== undefined)
    throw constraint('all', '--all and --examples exclude each other: --all shows every row');
  if (flags.all) options.examples = MOST_EXAMPLES;
  const doubts = givenOptions<DoubtOptions>(DOUBT, flags);
  const labelled = (flags as { label?: unknown }).label !== undefined || flags.text === undefined;
  for (const each of [...files, flags.against ?? ''])
    if (TAGGED.test(each) && flags.format === undefined)
      throw constraint('file', `${each} contains tokens with tags, which cannot be inspected; give a file of texts`);
  if (flags.labels && !labelled)
    throw constraint('label', '--labels checks labels; give --label to say where they are');
  if (!flags.labels && Object.keys(doubts).length > 0)
    throw constraint('labels', `--${Object.keys(doubts)[0]} applies to --labels only`);
  if (flags.labels) checkReadAgain('labels', files, '--labels reads the rows twice');
  if (files.includes('-') && flags.against === '-')
    throw constraint('against', 'the file and --against cannot both be standard input; give a file for one of them');
  const json = flags.json === true;
  const display = readingDisplay(json);
  const rows = open(files, flags, labelled, display.update);
  const against = flags.against === undefined ? undefined : open(flags.against, flags, labelled, display.update);
  const { signal, release } = abortOnSignals('stopping');
  try {
    const inspected = await inspectRows(rows as InspectedRows, {
      ...options,
      ...(against ? { against: against as InspectedRows } : {}),
      signal,
    });
    const doubtful = flags.labels ? await doubtfulOf(rows as FileRows<never>, { ...doubts, signal }, json) : undefined;
    display.stop();
    for (const each of against ? [rows, against] : [rows]) noteWarnings(each, json);
    const found = { ...inspected, advice: [...adviceOnDoubts(doubtful?.length ?? 0), ...inspected.advice] };
    if (json) jsonLine({ event: 'end', ...fileFields(files), ...found, ...(doubtful ? { doubtful } : {}) });
    else
      process.stdout.write(
        `${inspectionReport(found, doubtful, options.examples ?? INSPECT.examples.default, filesInWords(rows) ?? 'the rows')}\n`,
      );
    return EXIT.ok;
  } finally {
    display.stop();
    release();
  }
}

function doubtfulOf(rows: FileRows<never>, options: DoubtOptions, json: boolean): Promise<DoubtfulRow[]> {
  return findDoubtfulRows(rows, {
    ...options,
    onProgress({ fold, folds }) {
      if (json) jsonLine({ event: 'progress', fold, folds });
      else if (fold < folds) note(`judging part ${fold + 1} of ${folds} by a model of the others`);
    },
  });
}
