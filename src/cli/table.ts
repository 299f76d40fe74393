import type { ReadCsvOptions } from '../data/csv.js';

/** The flags that say where a table's texts and labels are. */
export interface TableFlags {
  text: string[];
  label: string;
  delimiter?: string;
  header?: boolean;
}

/** A column as it was typed: digits mean its number, counted from 1. */
function column(typed: string): string | number {
  return /^[1-9]\d*$/.test(typed) ? Number(typed) : typed;
}

/** Turns the flags into the options of `readCsv`. */
export function tableOptions(flags: TableFlags): ReadCsvOptions {
  const text = flags.text.map(column);
  return {
    text: text.length === 1 ? text[0]! : text,
    label: column(flags.label),
    ...(flags.delimiter === undefined ? {} : { delimiter: flags.delimiter === '\\t' ? '\t' : flags.delimiter }),
    ...(flags.header === undefined ? {} : { header: flags.header }),
  };
}
