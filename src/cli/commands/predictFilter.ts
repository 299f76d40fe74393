import { constraint } from '../../core/errors.js';
import { type Carried, type CarriedOptions, readCarried } from '../../data/readers/jsonCarried.js';
import { TEXTS } from '../../data/readers/options.js';
import { type AnswerFlags, answering } from '../answering.js';
import { flagName, givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { givenTextFlags, type TextFlags } from '../rows.js';
import type { ModelOf } from '../tasks.js';
import { answerRows } from './textBlocks.js';

/** Flags of `recurra predict --filter`. */
export interface FilterFlags extends TextFlags, AnswerFlags {
  filter?: boolean;
  into?: string;
  file?: string;
  json?: boolean;
}

/** The field that an answer is put into. */
const INTO = 'prediction';

/** Flags of texts that JSON lines have a use for. */
const USED = ['text', 'encoding', 'maxRowBytes'].map(flagName);

/**
 * Refuses what does not fit a filter, whose input and output are JSON lines.
 *
 * @throws ArgumentError
 */
export function checkFilterFlags(texts: readonly string[], flags: FilterFlags & { format?: string }): void {
  if (!flags.filter) {
    if (flags.into !== undefined) throw constraint('into', '--into names a field of the lines that --filter writes');
    return;
  }
  if (texts.length > 0 || flags.file !== undefined)
    throw constraint('filter', '--filter answers the lines of standard input; give no texts and no --file');
  if (flags.json) throw constraint('json', '--filter writes JSON lines in any case; leave --json out');
  const { format } = flags;
  if (format !== undefined && format !== 'jsonl')
    throw constraint('format', `--filter reads JSON lines, not ${format}; leave --format out`);
  const useless = givenTextFlags(flags).find((flag) => flag !== '--format' && !USED.includes(flag));
  if (useless !== undefined)
    throw constraint('filter', `--filter writes a line for each line that it reads, so ${useless} does not apply`);
}

/** Answers each JSON object of standard input with the same object and one field more, in time and in order. */
export async function predictFilter(model: ModelOf<'predict'>, flags: FilterFlags): Promise<number> {
  const { into = INTO } = flags;
  const { size, tokens, answer } = answering(model, flags);
  const { text, encoding, maxRowBytes } = givenOptions<CarriedOptions>(TEXTS, flags);
  const rows = readCarried('-', { text, encoding, maxRowBytes }, tokens, into);
  const name = JSON.stringify(into);
  await answerRows<Carried, object>(
    rows,
    {},
    true,
    (block) => answer(block),
    // The line is kept as it is, since numbers may have more digits than JavaScript's.
    ({ json }, found) => process.stdout.write(`${json.slice(0, -1)},${name}:${JSON.stringify(found)}}\n`),
    size,
  );
  return EXIT.ok;
}
