const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** What {@link byteSize} reads, in words. */
export const BYTE_SIZE = 'a size such as 1.6MB, 800kB or 2MiB';

/**
 * A size such as `1.6MB`, `800 kB` or `1572864` in whole bytes, rounded down; undefined unless it is a size of at least
 * a byte.
 */
export function byteSize(text: string): number | undefined {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()]! : Number.NaN;
  const bytes = Math.floor(Number(number) * factor);
  return Number.isSafeInteger(bytes) && bytes >= 1 ? bytes : undefined;
}

/** A number of bytes in words: `640 bytes`, `12 kB`, `1.6 MB`. */
export function bytesInWords(bytes: number): string {
  const units = ['kB', 'MB', 'GB'];
  if (bytes < 1_000) return `${bytes} bytes`;
  let value = bytes / 1_000;
  let unit = 0;
  for (; value >= 999.95 && unit < units.length - 1; unit++) value /= 1_000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} ${units[unit]}`;
}

/**
 * Reads a flag's size, as {@link byteSize}.
 *
 * @throws Error that says what fits.
 */
export function typedByteSize(text: string): number {
  const bytes = byteSize(text);
  if (bytes === undefined) throw new Error(`Expected ${BYTE_SIZE}.`);
  return bytes;
}
