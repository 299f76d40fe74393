import { counted } from '../../core/counted.js';
import { constraint, DataError } from '../../core/errors.js';
import type { Rows, RowsOrigin } from '../../data/readers/rows.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { Watcher } from '../../training/task.js';
import type { TrainSettings } from './options.js';

/** Maximum groups of labels named in a warning. */
const MOST_GROUPS = 5;

/** Minimum rows for which as many labels as rows are suspicious. */
const MANY = 20;

/** A key for labels that a person would consider the same. */
function plain(label: string): string {
  return label
    .normalize('NFKC')
    .replace(/[\s\u200b-\u200f\u2060\ufeff]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** A label for a message, with unusual blanks and zero-width characters escaped. */
function shown(label: string): string {
  const byNumber = (mark: string) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(label).replace(/[^\S ]|[\u0300-\u036f\u200b-\u200f\u2060\ufeff]/g, byNumber);
}

/** Labels that differ only in blanks, case or normal form. */
function alike({ classes }: EncodedDataset, counts: Int32Array): string | undefined {
  const groups = new Map<string, number[]>();
  for (const [index, label] of classes.entries()) {
    const key = plain(label);
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  const same = [...groups.values()].filter((group) => group.length > 1);
  if (same.length === 0) return undefined;
  const words = same
    .slice(0, MOST_GROUPS)
    .map((group) => group.map((index) => `${shown(classes[index]!)} (${counted(counts[index]!)})`).join(' and '));
  const more = same.length > MOST_GROUPS ? `; and ${same.length - MOST_GROUPS} more` : '';
  return `labels differ only in blanks, case or Unicode's normal form, and are learned as different ones: ${words.join('; ')}${more}`;
}

/** Number of different texts, by their tokens; counting ends at `most`. */
function differentTexts({ tokens, offsets, length }: EncodedDataset, most: number): number {
  const seen = new Set<string>();
  for (let row = 0; row < length && seen.size < most; row++) {
    seen.add(tokens.subarray(offsets[row], Math.min(offsets[row + 1]!, offsets[row]! + 64)).join());
  }
  return seen.size;
}

/** As many labels as rows: there is nothing to learn from, or text and label are swapped. */
function labelsAsRows(dataset: EncodedDataset): string | undefined {
  const { length, classes } = dataset;
  if (dataset.multiLabel || length < MANY || classes.length < 0.9 * length) return undefined;
  const texts = differentTexts(dataset, length / 2);
  const swapped =
    texts < length / 2
      ? `but only ${texts} different texts: text and label seem to be swapped`
      : 'so that hardly any label has a second row to learn from; is the column of the label the right one?';
  return `there are ${counted(classes.length, 'label')} in ${counted(length)}, ${swapped}`;
}

/**
 * Reports the warnings of the rows' reader.
 *
 * @internal
 */
export function warnOfReading({ warnings = [] }: RowsOrigin, watcher: Watcher): void {
  for (const warning of warnings) watcher.warn('rows', warning);
}

/**
 * Warns of suspicious rows.
 *
 * @param rows - Their source; its reader's warnings are reported too.
 * @param dataset - The rows.
 *
 * @internal
 */
export function warnOfRows(rows: Rows, dataset: EncodedDataset, watcher: Watcher): void {
  warnOfReading(rows, watcher);
  for (const message of [alike(dataset, dataset.classCounts()), labelsAsRows(dataset)]) {
    if (message !== undefined) watcher.warn('rows', new DataError('INVALID_ROW', message, { file: rows.file }));
  }
}

/**
 * Warns of options that may not do what was meant.
 *
 * @internal
 */
export function warnOfOptions(
  { freezeEmbeddings, embeddings, unlabelled, encoder, recurrent, idle }: TrainSettings,
  watcher: Watcher,
): void {
  if (idle) {
    const they = idle.length === 1 ? 'is an option' : 'are options';
    const message =
      `${idle.join(', ')} ${they} of the network, but recurrent: false (--no-recurrent) trains only the linear model: ` +
      `remove ${idle.length === 1 ? 'it' : 'them'}, or train a network`;
    watcher.warn('options', constraint(idle[0]!, message));
  }
  if (freezeEmbeddings === 0 || embeddings || unlabelled || encoder || recurrent === false) return;
  const message =
    'freezeEmbeddings (--freeze-embeddings) without embeddings, unlabelled or encoder freezes random word vectors: give word vectors or texts to learn them from, or remove it';
  watcher.warn('options', constraint('freezeEmbeddings', message));
}
