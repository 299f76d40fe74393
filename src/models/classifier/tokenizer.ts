import { Turns } from '../../core/turns.js';
import type { Row, Rows } from '../../data/readers/rows.js';
import { peek } from '../../data/sets/peek.js';
import { ScriptCounter } from '../../text/scripts.js';
import type { Choice } from '../../training/events/events.js';
import type { TrainSettings } from './options.js';

/** Number of rows examined. */
const ROWS = 1_000;

/** Chooses the tokenizer by the first rows, if no option names one. */
export async function settleTokenizer(
  rows: Rows,
  settings: TrainSettings,
  signal: AbortSignal,
): Promise<{ rows: Rows; settings: TrainSettings; chosen: readonly Choice[] }> {
  if (!settings.choosesTokenizer) return { rows, settings, chosen: [] };
  const turns = new Turns(signal);
  const { source, first } = await peek(rows, ROWS, turns);
  const scripts = new ScriptCounter();
  for (const row of first as Partial<Row>[]) {
    // Invalid rows are left to the reader.
    if (typeof row?.text === 'string') scripts.add(row.text);
    if (turns.due) await turns.next();
  }
  const { tokenizer, why } = scripts.choice;
  const settled = { ...settings, text: { ...settings.text, tokenizer }, choosesTokenizer: undefined };
  // A linear model reads the original texts.
  const chosen = settings.recurrent === false ? [] : [{ option: 'tokenizer', value: tokenizer, why }];
  return { rows: source, settings: settled, chosen };
}
