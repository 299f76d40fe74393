import type { PageHeader } from 'hyparquet';

/** Maximum values of a page. Writers make pages of a megabyte, with thousands of values. */
const MOST_VALUES = 2 ** 24;

/** Maximum decompressed bytes of a page. The largest default is 100 MB (DuckDB). */
const LARGEST_PAGE = 2 ** 28;

/** How a page's bytes are decoded. */
export interface PageLevels {
  /** Maximum repetition level, 0 for a column of single values. */
  repetition: number;
  /** Maximum definition level, 0 for a column without nulls. */
  definition: number;
  /** Type of the values. */
  type: string;
  /** Reads the lengths of the prefixes that values of a DELTA_BYTE_ARRAY share with the value before. */
  prefixes(view: DataView, offset: number, count: number): Int32Array;
}

/**
 * Checks the sizes in a page's header before memory is allocated for them.
 *
 * @throws Error if a size is impossible, or larger than writers produce.
 */
export function checkHeader(header: PageHeader): void {
  const { compressed_page_size, uncompressed_page_size } = header;
  const page = header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header;
  const sizes = { compressed_page_size, uncompressed_page_size, num_values: page?.num_values ?? 0 };
  for (const [name, value] of Object.entries(sizes)) {
    if (!(Number.isInteger(value) && value >= 0)) throw new Error(`a page's ${name} is ${value}`);
  }
  if (sizes.num_values > MOST_VALUES)
    throw new Error(`a page states ${sizes.num_values} values, more than ${MOST_VALUES}`);
  if (uncompressed_page_size > LARGEST_PAGE) {
    throw new Error(`a page states ${uncompressed_page_size} bytes, more than ${LARGEST_PAGE}`);
  }
}

/** The byte table of CRC-32 with gzip's polynomial. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32. Early versions of Node 20 do not have zlib's. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc;
}

/**
 * Checks a page's raw bytes against the checksum in its header, if there is one.
 *
 * @throws Error if they differ.
 */
export function checkChecksum({ crc }: PageHeader, bytes: Uint8Array): void {
  if (crc === undefined || crc32(bytes) === (crc | 0)) return;
  throw new Error("a page's checksum does not match its contents: the file was damaged; copy or download it again");
}

/**
 * Checks the runs of a data page: hyparquet writes as many values as a run states, even more than the page has, so a
 * few bytes of a damaged file could use up all memory.
 *
 * @param header - The page's header.
 * @param bytes - The page, decompressed (the levels of a page of version 2 before its values).
 * @param levels - How it is decoded.
 * @throws Error if a run is longer than the page, or the bytes end within one.
 */
export function checkRuns(header: PageHeader, bytes: Uint8Array, levels: PageLevels): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = header.data_page_header;
  const second = header.data_page_header_v2;
  const page = first ?? second;
  if (!page) return;
  const { num_values: count, encoding } = page;
  let at = 0;
  const block = (max: number, length?: number) => {
    if (max > 0) {
      const from = length === undefined ? at + 4 : at;
      runs(view, from, bits(max), count);
      at = from + (length ?? view.getUint32(at, true));
    } else at += length ?? 0;
  };
  block(levels.repetition, second?.repetition_levels_byte_length);
  block(levels.definition, second?.definition_levels_byte_length);
  if (encoding === 'RLE' && levels.type === 'BOOLEAN') {
    runs(view, at + 4, 1, count);
  } else if (encoding === 'RLE' || encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (at < bytes.length) runs(view, at + 1, view.getUint8(at), count, bytes.length);
  } else if (encoding === 'DELTA_BYTE_ARRAY' && at < bytes.length) {
    let sum = 0;
    for (const length of levels.prefixes(view, at, count)) {
      if (length < 0) throw new Error('a value has a prefix of negative length');
      sum += length;
    }
    if (sum > LARGEST_PAGE) throw new Error(`values of ${sum} bytes in one page, more than ${LARGEST_PAGE}`);
  }
}

/** Follows runs of numbers until they cover the page's values, or the bytes end. */
function runs(view: DataView, from: number, width: number, count: number, end = view.byteLength): void {
  if (width > 32) throw new Error(`numbers of ${width} bits`);
  let at = from;
  for (let seen = 0; seen < count && at < end; ) {
    let header = 0;
    let shift = 0;
    for (let byte = 128; byte >= 128; shift += 7) {
      if (shift > 28) throw new Error('the length of a run has no end');
      byte = view.getUint8(at++);
      header += (byte & 127) * 2 ** shift;
    }
    const packed = header % 2 === 1;
    const length = Math.floor(header / 2) * (packed ? 8 : 1);
    // Packed values end with the bytes, and hyparquet reads only as many as fit: DuckDB pads them to 256.
    const most = count - seen + (packed ? (width > 0 ? length : 256) : 0);
    if (length > most) throw new Error(`a run of ${length} values where ${count - seen} are left`);
    at += packed ? (length / 8) * width : Math.ceil(width / 8);
    seen += length;
  }
}

function bits(max: number): number {
  return 32 - Math.clz32(max);
}
