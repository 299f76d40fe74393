import { statSync } from 'node:fs';
import { AtomicLines } from '../../core/atomicLines.js';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { printable } from '../../core/printable.js';
import { duration, jsonLine } from '../../core/terminal.js';
import type { Column } from '../../data/readers/fields.js';
import type { ReadProgress } from '../../data/readers/options.js';
import { severalRows } from '../../data/readers/several.js';
import type { FileRows } from '../../data/readers/source.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import { type AnswerFlags, type AskedRow, answering } from '../answering.js';
import { fileLines, STDOUT, writeAnswers } from '../answerLines.js';
import { AnswerTable } from '../answerTable.js';
import type { LoadFlags } from '../device.js';
import { openFor } from '../modelColumns.js';
import { EXIT } from '../output.js';
import { rowInputs } from '../outputs.js';
import { type ReadingDisplay, readingDisplay } from '../reading.js';
import { noteSkipped, noteWarnings, openTexts, openTextsOrTokens, type TextFlags } from '../rows.js';
import { type ModelOf, TAGGED } from '../tasks.js';
import { PATIENCE } from './textBlocks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra predict` for one table of answers. */
export interface TableFlags extends TextFlags, LoadFlags, AnswerFlags {
  csv?: boolean;
  bom?: boolean;
  keep?: readonly Column[];
  out?: string;
  file?: string;
  json?: boolean;
}

/** Forms of a file of answers, by the ending of its name. */
const ENDINGS = { csv: ',', tsv: '\t', tab: '\t', jsonl: undefined, ndjson: undefined } as const;
type Ending = keyof typeof ENDINGS;

/** The form of a file of answers that `--out` names; undefined for a folder. */
export function tableEnding(out: string): Ending | undefined {
  const [, ending, packed] = /\.(csv|tsv|tab|jsonl|ndjson)(\.(?:gz|gzip|zst|zstd))?$/i.exec(out) ?? [];
  if (ending === undefined || statSync(out, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  if (packed !== undefined)
    throw constraint('out', `${out}: answers are written uncompressed; give a name without ${packed}`);
  return ending.toLowerCase() as Ending;
}

/**
 * Refuses flags of a table of answers where there is none.
 *
 * @throws ArgumentError
 */
export function checkTableFlags(texts: readonly string[], flags: TableFlags & { filter?: boolean }): void {
  const { csv, bom, keep, out, json, file, filter } = flags;
  const toFile = out === undefined ? undefined : tableEnding(out);
  if (csv && (json || filter))
    throw constraint(
      'csv',
      `--csv and --${json ? 'json' : 'filter'} exclude each other: both say how answers are written`,
    );
  if (csv && out !== undefined)
    throw constraint(
      'csv',
      '--csv writes to standard output; with --out, the name of the file says how answers are written',
    );
  if (bom && !csv && (toFile === undefined || ENDINGS[toFile] === undefined))
    throw constraint('bom', '--bom needs --csv, or --out with a file that ends in .csv or .tsv');
  if (keep === undefined) return;
  if (filter) throw constraint('keep', '--filter writes whole lines back, so --keep does not apply');
  if (!csv && !json && out === undefined)
    throw constraint('keep', '--keep needs --csv, --json or --out: lines of text have no room for other columns');
  if (texts.length > 0 && out === undefined)
    throw constraint('keep', '--keep carries over columns of a file; name it with --file');
  if (texts.length === 0 && file === undefined && toFile !== undefined)
    throw constraint('keep', '--keep carries over columns of a file; give it after the model');
}

/** Rows of texts given as arguments, or of files. */
function openAll(
  model: ModelOf<'predict'>,
  texts: readonly string[],
  files: readonly string[],
  flags: TableFlags,
  tokens: boolean,
  display: ReadingDisplay,
): AsyncIterable<AskedRow> | AskedRow[] {
  if (files.length === 0) return texts.map((text) => ({ text }));
  return severalRows<AskedRow>(files, (input) => {
    const file = String(input);
    if (TAGGED.test(file))
      throw constraint('file', `${file} has one token per line; its answers are written by --out with a folder`);
    return openFor<TableFlags, AskedRow, (progress: ReadProgress) => void>(
      model,
      tokens ? openTextsOrTokens : openTexts,
      file,
      flags,
      display.update,
    );
  });
}

/**
 * `recurra predict --csv`, and `--out` with the name of a file: answers texts, or all rows of one or several files, in
 * one table.
 */
export async function predictTable(
  model: ModelOf<'predict'>,
  modelFile: string,
  args: readonly string[],
  flags: TableFlags,
): Promise<number> {
  const { out, csv, bom = false, keep = [], json = false, file } = flags;
  if (out !== undefined && args.length > 0 && file !== undefined)
    throw constraint('file', 'give the files after the model, or one with --file, not both');
  // With --out arguments are files, as they are where it names a folder.
  const named = file === undefined ? (out === undefined ? [] : args) : [file];
  const files = named.length === 0 && (out !== undefined || args.length === 0) ? ['-'] : named;
  const ending = out === undefined ? 'csv' : tableEnding(out)!;
  const multiLabel = model instanceof TextClassifier && model.thresholds !== undefined;
  const topK = multiLabel ? model.labels.length : csv || ENDINGS[ending] ? (flags.topK ?? 1) : flags.topK;
  const whole = model instanceof TextClassifier && topK !== undefined ? { ...flags, topK } : flags;
  const delimiter = ENDINGS[ending];
  const table = delimiter === undefined ? undefined : new AnswerTable(model, flags, keep, delimiter);
  const answers = answering(model, whole);
  if (out !== undefined)
    await checkOutputs(
      [{ option: 'out', what: 'the file of the answers', path: out }],
      [...rowInputs(files), { what: 'the model', path: modelFile }],
    );
  const display = readingDisplay(json);
  const rows = openAll(model, args, files, flags, answers.tokens, display);
  const { signal, release } = abortOnSignals(out === undefined ? 'stopping' : 'stopping; nothing is written');
  const began = performance.now();
  // A slow source is answered as its lines arrive.
  const patience = out === undefined && files.includes('-') ? PATIENCE : undefined;
  const lines = out === undefined ? undefined : await AtomicLines.open(out);
  try {
    const to = lines ? fileLines(lines) : STDOUT;
    const count = await writeAnswers(rows, answers, to, { table, bom, patience, signal });
    await lines?.finish();
    display.stop();
    if (!Array.isArray(rows)) {
      noteSkipped(rows as FileRows<AskedRow>);
      noteWarnings(rows as FileRows<AskedRow>, json);
    }
    if (out === undefined) return EXIT.ok;
    const seconds = (performance.now() - began) / 1000;
    if (json) jsonLine({ event: 'end', out, rows: count, seconds });
    else process.stdout.write(`${printable(out)}: ${counted(count)}, ${duration(seconds)}\n`);
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    display.stop();
    release();
    await lines?.discard();
  }
}
