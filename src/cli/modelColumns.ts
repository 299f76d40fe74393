import { withColumnHint } from '../data/readers/columnHint.js';
import type { RowColumns } from '../data/readers/columns.js';
import type { Column } from '../data/readers/fields.js';
import { formatByName } from '../data/readers/readRows.js';
import type { FileRows } from '../data/readers/source.js';
import { flagName } from './flags.js';

/** The end of the help of commands that read rows for a model. */
export const COLUMNS_HELP = '\nColumns that no flag names are those of the rows that the model was trained on.';

/** The columns of a model's training rows. */
export interface WithColumns {
  readonly columns: RowColumns | undefined;
}

/** Columns of labelled texts. */
export const LABELLED_COLUMNS = ['text', 'label', 'labelSeparator', 'header'] as const;

/** Columns of sentences with tags or spans. */
export const TAG_COLUMNS = ['token', 'tag', 'text', 'spans', 'header'] as const;

/** Columns of pairs. */
export const PAIR_COLUMN_NAMES = ['source', 'target', 'header'] as const;

/** Columns of texts. */
export const CORPUS_COLUMNS = ['text', 'header'] as const;

/** Flags with the columns of a model where none were given. */
export interface ModelFlags<Flags> {
  flags: Flags;
  /** Adds to errors about a missing column that its name comes from the model. */
  explained<F extends FileRows<unknown>>(rows: F): F;
}

/**
 * Takes the columns of a model's training rows where no flag names others.
 *
 * @param names - The columns that the reader of the rows takes.
 */
export function withModelColumns<Flags extends object>(
  { columns }: WithColumns,
  given: Flags,
  names: readonly (keyof RowColumns)[],
): ModelFlags<Flags> {
  const flags = { ...given } as Record<string, unknown>;
  const typed = names.some((name) => flags[name] !== undefined);
  const taken = names.filter((name) => flags[name] === undefined && columns?.[name] !== undefined);
  // Whether there is a header is said of columns of the same file.
  for (const name of taken) if (name !== 'header' || !typed) flags[name] = columns![name];
  const named = taken.filter((name) => name !== 'header' && name !== 'labelSeparator');
  const hint =
    `the model was trained on ${named.map((name) => `the ${name} ${shown(columns![name] as Column)}`).join(' and ')}; ` +
    `name the ${named.length === 1 ? 'column' : 'columns'} of this file with ${named.map(flagName).join(' and ')}`;
  return {
    flags: flags as Flags,
    explained: (rows) => {
      const missing = named.flatMap((name) => columns![name] as Column | readonly Column[]);
      return missing.length === 0 ? rows : withColumnHint(rows, missing, hint);
    },
  };
}

/**
 * Takes the text columns of a model's training rows for a file of texts, if its name or the format say that it has
 * columns. In other files each line is a text.
 */
function withModelText<Flags extends object>(model: WithColumns, file: string, flags: Flags): ModelFlags<Flags> {
  const { format = formatByName(file) } = flags as { format?: string };
  if (format === undefined || format === 'lines' || format === 'fasttext') return { flags, explained: (rows) => rows };
  const { columns } = model;
  // The texts of a model of pairs are its sources.
  const own = columns?.source === undefined ? columns : { text: columns.source, header: columns.header };
  return withModelColumns({ columns: own as RowColumns | undefined }, flags, CORPUS_COLUMNS);
}

/**
 * Opens a file of texts with the columns of a model's training rows, see {@link withModelText}.
 *
 * @param open - Opens the file as flags say.
 */
export function openFor<Flags extends object, R, Progress>(
  model: WithColumns,
  open: (file: string, flags: Flags, onProgress?: Progress) => FileRows<R>,
  file: string,
  flags: Flags,
  onProgress?: Progress,
): FileRows<R> {
  const own = withModelText(model, file, flags);
  return own.explained(open(file, own.flags, onProgress));
}

function shown(column: Column | readonly Column[]): string {
  const all = Array.isArray(column) ? column : [column];
  return all.map((each) => JSON.stringify(each)).join(' + ');
}
