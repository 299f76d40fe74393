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

/** The default field for the answer. */
const INTO = 'prediction';

/** Flags of texts that apply to JSON lines. */
const USED = ['text', 'encoding', 'maxRowBytes'].map(flagName);

/**
 * Refuses flags that do not apply to a filter, which reads and writes JSON lines.
 *
 * @throws ArgumentError
 */
export function checkFilterFlags(texts: readonly string[], flags: FilterFlags & { format?: string }): void {
  if (!flags.filter) {
    if (flags.into !== undefined) throw constraint('into', '--into names a field of the lines that --filter writes');
    return;
  }
  if (texts.length > 0 || flags.file !== undefined)
    throw constraint('filter', '--filter reads standard input; remove the texts or --file');
  if (flags.json) throw constraint('json', '--filter always writes JSON lines; remove --json');
  const { format } = flags;
  if (format !== undefined && format !== 'jsonl')
    throw constraint('format', `--filter reads JSON lines, not ${format}; remove --format`);
  const useless = givenTextFlags(flags).find((flag) => flag !== '--format' && !USED.includes(flag));
  if (useless !== undefined)
    throw constraint('filter', `--filter writes one line for each input line, so ${useless} does not apply`);
}

/** Writes each JSON object of standard input back with one added field, promptly and in order. */
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
    // The line is kept verbatim, since its numbers may have more digits than JavaScript's.
    ({ json }, found) => process.stdout.write(`${json.slice(0, -1)},${name}:${JSON.stringify(found)}}\n`),
    size,
  );
  return EXIT.ok;
}
