import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AtomicLines } from '../../core/atomicLines.js';
import { constraint } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { packageVersion } from '../../native/addon.js';
import type { InputFile } from './inputs.js';

/** Folder of the stamps inside the output folder. Spark and Hadoop skip names that start with `_`. */
const STAMPS = '_recurra';

/** Everything that determines an output's content. */
export interface Making {
  /** SHA-256 of the model's file, in hexadecimal digits. */
  model: string;
  /** The given flags that change an answer. */
  options: Readonly<Record<string, unknown>>;
}

/** The record of a finished output. */
interface Stamp extends Making {
  /** Version of the library that wrote it. */
  recurra: string;
  /** Size and time of the input. */
  input: { bytes: number; modified: number };
  /** Size of the output in bytes. */
  bytes: number;
  /** Rows of the output. */
  rows: number;
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (error) {
    throw ioError(error as Error, path);
  }
  return hash.digest('hex');
}

function stampPath(folder: string, { output }: InputFile): string {
  return join(folder, STAMPS, `${output}.json`);
}

/** The stamp of an output; undefined if it is missing or unreadable. */
async function readStamp(folder: string, input: InputFile): Promise<Stamp | undefined> {
  try {
    const stamp = JSON.parse(await readFile(stampPath(folder, input), 'utf8'));
    return typeof stamp?.model === 'string' && typeof stamp.input === 'object' ? (stamp as Stamp) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an output is finished: it has a stamp, and neither it nor its input has changed since.
 *
 * @param overwrite - Whether to overwrite an output of another model or other options; otherwise it is an error.
 * @throws ArgumentError
 */
export async function isFinished(
  folder: string,
  input: InputFile,
  making: Making,
  overwrite: boolean,
): Promise<boolean> {
  const path = join(folder, input.output);
  const output = await stat(path).catch(() => undefined);
  const stamp = output && (await readStamp(folder, input));
  if (!stamp || stamp.bytes !== output.size) return false;
  const [model, options] = [
    stamp.model === making.model,
    JSON.stringify(stamp.options) === JSON.stringify(making.options),
  ];
  if (model && options) return stamp.input.bytes === input.bytes && stamp.input.modified === input.modified;
  if (overwrite) return false;
  const why = model
    ? `other options: ${JSON.stringify(stamp.options)}, now ${JSON.stringify(making.options)}`
    : 'another model';
  throw constraint('out', `${path} was made with ${why}; give another folder for --out, or --overwrite`);
}

/** Records that an output is finished. */
export async function writeStamp(folder: string, input: InputFile, making: Making, rows: number): Promise<void> {
  const path = stampPath(folder, input);
  const { size } = await stat(join(folder, input.output));
  const stamp: Stamp = {
    recurra: packageVersion(),
    ...making,
    input: { bytes: input.bytes, modified: input.modified },
    bytes: size,
    rows,
  };
  await mkdir(dirname(path), { recursive: true });
  const file = await AtomicLines.open(path);
  try {
    file.write(JSON.stringify(stamp));
    await file.finish();
  } finally {
    await file.discard();
  }
}
