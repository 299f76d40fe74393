import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AtomicLines } from '../../core/atomicLines.js';
import { counted } from '../../core/counted.js';
import { constraint, DataError } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { duration, jsonLine, note } from '../../core/terminal.js';
import { type ReadProgress, TEXTS } from '../../data/readers/options.js';
import type { RowsOrigin } from '../../data/readers/rows.js';
import type { FileRows } from '../../data/readers/source.js';
import { readTokenLines } from '../../data/readers/tokenLines.js';
import { TRANSLATE } from '../../models/seq2seq/prediction.js';
import { type AnswerFlags, type Answering, type AskedRow, answering, cautionOf, noteFewRows } from '../answering.js';
import { fileLines, writeAnswers } from '../answerLines.js';
import { type LoadFlags, loadOptions } from '../device.js';
import { givenOptions } from '../flags.js';
import { openFor } from '../modelColumns.js';
import { EXIT } from '../output.js';
import { type ReadingDisplay, readingDisplay } from '../reading.js';
import { type KeepFlag, noteSkipped, noteWarnings, openTexts, openTextsOrTokens, type TextFlags } from '../rows.js';
import { type InputFile, inputFiles } from '../shards/inputs.js';
import { type Share, type ShareFlags, shareOf } from '../shards/share.js';
import { fileHash, isFinished, type Making, writeStamp } from '../shards/stamps.js';
import { loadModel, type ModelOf, TAGGED } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra predict --out`. */
export interface FilesFlags extends TextFlags, KeepFlag, LoadFlags, AnswerFlags, ShareFlags {
  out?: string;
  overwrite?: boolean;
  file?: string;
  filter?: boolean;
  json?: boolean;
}

/**
 * Refuses flags that need `--out` when it is missing.
 *
 * @throws ArgumentError
 */
export function checkWithoutOut({ shard, shards, overwrite }: FilesFlags): void {
  const useless = Object.entries({ shard, shards, overwrite }).find(([, value]) => value !== undefined);
  if (useless) throw constraint(useless[0], `--${useless[0]} needs --out DIR, where a file is written for each input`);
}

/** The flags that change the content of an answer, by name. */
function makingOptions(flags: FilesFlags): Record<string, unknown> {
  const { topK, keep, header, skipBadRows, quote, recurrentWeights } = flags;
  const others = { topK, keep, recurrentWeights, ...cautionOf(flags), header, skipBadRows, quote };
  const given = { ...others, ...givenOptions<object>({ ...TEXTS, ...TRANSLATE }, flags) };
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The sentences of a file with one token on each line. */
function openTokenLines(path: string): AsyncIterable<AskedRow> & RowsOrigin {
  return {
    file: path,
    async *[Symbol.asyncIterator]() {
      for await (const { tokens } of readTokenLines(path)) {
        const sentence = tokens.filter((token) => token !== undefined);
        // Comments and blank lines are not sentences.
        if (sentence.length > 0) yield { tokens: sentence };
      }
    },
  };
}

function isFileRows(rows: AsyncIterable<AskedRow>): rows is FileRows<AskedRow> {
  return 'warnings' in rows;
}

/** Settings of one run over files. */
interface Run {
  model: ModelOf<'predict'>;
  folder: string;
  flags: FilesFlags;
  answers: Answering;
  making: Making;
  signal: AbortSignal;
  display: ReadingDisplay;
}

function openRows(path: string, { model, flags, answers, display }: Run): AsyncIterable<AskedRow> {
  const onProgress = (progress: ReadProgress) => display.update(progress);
  if (answers.tokens && TAGGED.test(path)) return openTokenLines(path);
  return openFor<FilesFlags, AskedRow, typeof onProgress>(
    model,
    answers.tokens ? openTextsOrTokens : openTexts,
    path,
    flags,
    onProgress,
  );
}

/** Answers the rows of a file and writes its output atomically; returns the number of rows. */
async function answerFile(input: InputFile, run: Run): Promise<number> {
  const { folder, answers, signal } = run;
  const path = join(folder, input.output);
  await mkdir(dirname(path), { recursive: true });
  const rows = openRows(input.path, run);
  const lines = await AtomicLines.open(path);
  let count = 0;
  try {
    count = await writeAnswers(rows, answers, fileLines(lines), { signal });
    await lines.finish();
  } finally {
    await lines.discard();
  }
  if (isFileRows(rows)) {
    noteSkipped(rows);
    noteWarnings(rows, run.flags.json === true);
  }
  await writeStamp(folder, input, run.making, count);
  return count;
}

/** Whether the input caused the error, so that other files may still succeed. */
function isOfInput(error: unknown, { path }: InputFile): error is DataError {
  return error instanceof DataError && error.file === path;
}

/** Prints the share of files that this run covers, and how many of them are already finished. */
function noteStart({ index, count }: Share, all: number, own: number, done: number, json: boolean): void {
  if (json) jsonLine({ event: 'start', shard: index + 1, shards: count, files: own, finished: done });
  if (own === 0)
    note(`recurra: warning: share ${index + 1}/${count} has no file: there are ${all}, and files are not split`);
  else if (done > 0 && !json) note(`${done} of ${counted(own, 'file')} ${done === 1 ? 'is' : 'are'} already finished`);
}

/** Answers files; returns the number of rows and of failed files. */
async function answerFiles(inputs: readonly InputFile[], run: Run): Promise<{ rows: number; failed: number }> {
  const json = run.flags.json === true;
  let rows = 0;
  let failed = 0;
  for (const input of inputs) {
    const began = performance.now();
    const out = join(run.folder, input.output);
    try {
      const count = await answerFile(input, run);
      const seconds = (performance.now() - began) / 1000;
      rows += count;
      if (json) jsonLine({ event: 'file', file: input.path, out, rows: count, seconds });
      else note(`${out}: ${counted(count)}, ${duration(seconds)}`);
    } catch (error) {
      if (!isOfInput(error, input)) throw error;
      failed++;
      const { code, message } = error;
      if (json) jsonLine({ event: 'failed', file: input.path, code, message });
      note(`recurra: ${message} [${code}]`);
    } finally {
      run.display.stop();
    }
  }
  return { rows, failed };
}

/** `recurra predict --out`: answers the files of a share, each into its own output file. */
export async function predictFiles(modelFile: string, args: readonly string[], flags: FilesFlags): Promise<number> {
  const folder = flags.out!;
  const json = flags.json === true;
  if (flags.filter) throw constraint('filter', '--filter reads standard input, --out reads files; give one of them');
  if (flags.file !== undefined) throw constraint('file', 'with --out, give files as arguments instead of --file');
  if (args.length === 0)
    throw constraint('files', "--out needs files or patterns after the model, such as 'in/*.parquet'");
  const share = shareOf(flags, process.env);
  const out = { option: 'out', what: 'the folder of the answers', path: folder, folder: true };
  await checkOutputs([out], []);
  const all = await inputFiles(args, folder);
  const own = all.filter((_, i) => i % share.count === share.index);
  const making: Making = { model: await fileHash(modelFile), options: makingOptions(flags) };
  const left: InputFile[] = [];
  for (const input of own) if (!(await isFinished(folder, input, making, flags.overwrite === true))) left.push(input);
  const finished = own.length - left.length;
  noteStart(share, all.length, own.length, finished, json);
  const began = performance.now();
  let done = { rows: 0, failed: 0 };
  if (left.length > 0) {
    const model = await loadModel('predict', modelFile, loadOptions(flags));
    const answers = answering(model, flags);
    noteFewRows(model, flags.precision);
    const { signal, release } = abortOnSignals('stopping; finished files are kept');
    try {
      done = await answerFiles(left, { model, folder, flags, answers, making, signal, display: readingDisplay(json) });
    } catch (error) {
      if (signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      release();
    }
  }
  const seconds = (performance.now() - began) / 1000;
  const { rows, failed } = done;
  const files = left.length - failed;
  if (json) jsonLine({ event: 'end', out: folder, files, finished, failed, rows, seconds });
  else
    process.stdout.write(
      `${folder}: ${counted(files, 'file')}, ${counted(rows)}, ${duration(seconds)}${failed > 0 ? `; ${failed} failed` : ''}\n`,
    );
  return failed > 0 ? EXIT.failure : EXIT.ok;
}
