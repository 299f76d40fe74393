/**
 * A line of a CSV file, without its end, as RFC 4180 describes it: a cell is quoted if it contains the delimiter, a
 * quote, a line end, or a blank at its start or end.
 *
 * @param cells - Texts, numbers and booleans; null and undefined are empty cells, other values are written as JSON.
 */
export function csvLine(cells: readonly unknown[], delimiter: string): string {
  return cells.map((cell) => quoted(cellText(cell), delimiter)).join(delimiter);
}

/** The text of a cell. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function quoted(text: string, delimiter: string): string {
  if (!text.includes(delimiter) && !/["\r\n]|^\s|\s$/.test(text)) return text;
  return `"${text.replaceAll('"', '""')}"`;
}
