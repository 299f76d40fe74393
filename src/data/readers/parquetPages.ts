import type { FileHandle } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type {
  ColumnMetaData,
  Compressors,
  DecodedArray,
  FileMetaData,
  PageHeader,
  ParquetParsers,
  RowGroup,
  SchemaTree,
} from 'hyparquet';
import { Turns } from '../../core/turns.js';
import { fzstd } from './libraries.js';
import { checkChecksum, checkHeader, checkRuns } from './parquetClaims.js';
import type { Reading } from './reading.js';
import { ZstdFrames } from './zstdFrames.js';

/** An error in a Parquet file, or something in it that cannot be read. */
export class ParquetFault extends Error {}

/** Bytes read for a page header at first; headers with long statistics are read again with more. */
const HEADER = 16_384;

/** hyparquet with its functions for pages. It is ESM only, which the published CommonJS can only import this way. */
async function loadLibrary() {
  const [base, assemble, column, convert, datapage, delta, schema, { compressors: inJavaScript }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/assemble.js'),
    import('hyparquet/src/column.js'),
    import('hyparquet/src/convert.js'),
    import('hyparquet/src/datapage.js'),
    import('hyparquet/src/delta.js'),
    import('hyparquet/src/schema.js'),
    import('hyparquet-compressors'),
  ]);
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const parsers: ParquetParsers = {
    ...convert.DEFAULT_PARSERS,
    stringFromBytes: (bytes: Uint8Array) => bytes && strict.decode(bytes),
  };
  // Node's own codecs are native, the others are not.
  const compressors: Compressors = {
    ...inJavaScript,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
    ZSTD: (input, length) => unzstd(input, length),
  };
  return { ...base, ...assemble, ...column, ...convert, ...datapage, ...delta, ...schema, parsers, compressors };
}

type Library = Awaited<ReturnType<typeof loadLibrary>>;

/**
 * A Parquet file whose columns are read page by page. hyparquet's own functions decode whole row groups, which many
 * writers make as large as the file: all texts would be in memory, and the event loop would block for seconds.
 *
 * @internal
 */
export class ParquetFile {
  readonly #library: Library;
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #metadata: FileMetaData;
  readonly #tree: SchemaTree;
  readonly #reading: Reading | undefined;

  private constructor(library: Library, handle: FileHandle, size: number, metadata: FileMetaData, reading?: Reading) {
    this.#library = library;
    this.#handle = handle;
    this.#size = size;
    this.#metadata = metadata;
    this.#tree = library.parquetSchema(metadata);
    this.#reading = reading;
  }

  /** Reads the metadata. `reading` counts the bytes of pages as they are read. */
  static async open(handle: FileHandle, reading?: Reading): Promise<ParquetFile> {
    const library = await loadLibrary();
    const { size } = await handle.stat();
    if (reading) reading.totalBytes = size;
    if (size < 12) {
      // A folder can be opened, and on Windows its size is 0; reading it gives the system's own error.
      await handle.read(Buffer.alloc(1), 0, 1, 0);
      throw new ParquetFault('the file is too short for a Parquet file');
    }
    const slice = (start: number, end = size) => read(handle, start, end);
    const metadata = await fault(() =>
      library.parquetMetadataAsync({ byteLength: size, slice }, { geoparquet: false }),
    );
    return new ParquetFile(library, handle, size, metadata, reading);
  }

  /** Names of the columns. */
  get columns(): string[] {
    return this.#tree.children.map(({ element }) => element.name);
  }

  /** A value in the file's key-value metadata. */
  note(key: string): string | undefined {
    return this.#metadata.key_value_metadata?.find((each) => each.key === key)?.value;
  }

  /**
   * Reads some columns: blocks of rows, in each of which `values` has an array for each column.
   *
   * @param names - Columns of single values or of lists.
   */
  async *blocks(names: readonly string[]): AsyncGenerator<{ values: DecodedArray[]; count: number }> {
    const turns = new Turns();
    for (const group of this.#metadata.row_groups) {
      const readers = names.map((name) => this.#column(group, name));
      let left = Number(group.num_rows);
      while (left > 0) {
        for (const reader of readers) {
          while (reader.rest.length === 0) {
            const { done, value } = await reader.pages.next();
            if (done) throw new ParquetFault(`column ${JSON.stringify(reader.name)} has fewer rows than its row group`);
            reader.rest = value;
            if (turns.due) await turns.next();
          }
        }
        const count = Math.min(left, ...readers.map(({ rest }) => rest.length));
        yield { values: readers.map(({ rest }) => rest.slice(0, count)), count };
        for (const reader of readers) reader.rest = reader.rest.slice(count);
        left -= count;
      }
    }
  }

  #column(
    group: RowGroup,
    name: string,
  ): { name: string; rest: DecodedArray; pages: AsyncGenerator<DecodedArray, void> } {
    const top = this.#tree.children.find(({ element }) => element.name === name)!;
    const list = this.#library.isListLike(top);
    const chunks = group.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
    const [chunk] = chunks;
    if (chunks.length !== 1 || !chunk?.meta_data || (top.children.length > 0 && !list)) {
      throw new ParquetFault(`column ${JSON.stringify(name)} is neither of single values nor of lists of them`);
    }
    if (chunk.file_path)
      throw new ParquetFault(`column ${JSON.stringify(name)} is in another file, ${chunk.file_path}`);
    return { name, rest: [], pages: this.#pages(chunk.meta_data, top, Number(group.num_rows)) };
  }

  /** The values of a column's pages. */
  async *#pages(meta: ColumnMetaData, top: SchemaTree, rows: number): AsyncGenerator<DecodedArray, void> {
    const { parsers, compressors, ...library } = this.#library;
    const schemaPath = library.getTreePath(this.#tree, meta.path_in_schema);
    const element = schemaPath[schemaPath.length - 1]!.element;
    const decoder = {
      ...meta,
      pathInSchema: meta.path_in_schema,
      element,
      schemaPath,
      parsers,
      compressors,
      // Pages are decompressed before, so that they can be looked through.
      codec: 'UNCOMPRESSED' as const,
      utf8: true,
    };
    const levels = {
      repetition: library.getMaxRepetitionLevel(schemaPath),
      definition: library.getMaxDefinitionLevel(schemaPath),
      type: meta.type,
      prefixes: (view: DataView, offset: number, count: number) => {
        const lengths = new Int32Array(count);
        library.deltaBinaryUnpack({ view, offset }, count, lengths);
        return lengths;
      },
    };
    const flat = library.isFlatColumn(schemaPath);
    let at = Number(meta.dictionary_page_offset || meta.data_page_offset);
    if (!(at >= 4)) throw new ParquetFault(`column ${JSON.stringify(top.element.name)} begins outside the file`);
    const end = Math.min(at + Number(meta.total_compressed_size), this.#size);
    let dictionary: DecodedArray | undefined;
    /** The last row of the previous page: its list may continue on the next page. */
    let held: DecodedArray | undefined;
    for (let done = 0; done < rows && at < end; ) {
      const { header, length } = await this.#header(at, end);
      await fault(() => checkHeader(header));
      const from = at + length;
      at = from + header.compressed_page_size;
      if (!(at >= from && at <= end)) throw new ParquetFault(`column ${JSON.stringify(top.element.name)} is truncated`);
      const compressed = new Uint8Array(await read(this.#handle, from, at));
      this.#reading?.read(compressed.length);
      await fault(() => checkChecksum(header, compressed));
      const bytes = await fault(() => this.#decompressed(compressed, header, meta));
      await fault(() => checkRuns(header, bytes, levels));
      const whole = { ...header, compressed_page_size: bytes.length };
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const page = await fault(() => library.readPage({ view, offset: 0 }, whole, decoder, dictionary, held, 0));
      if (!page.data) continue;
      if (header.type === 'DICTIONARY_PAGE') {
        const values = page.data;
        dictionary = await fault(() => library.convert(values, decoder));
      } else if (flat) {
        done += page.data.length;
        yield page.data;
      } else {
        held = page.data.slice(-1);
        done += page.data.length - 1;
        const complete = page.data.slice(0, -1);
        if (complete.length > 0) yield await fault(() => this.#assembled(complete, meta, top));
      }
    }
    const last = held;
    if (last) yield await fault(() => this.#assembled(last, meta, top));
  }

  /** A page's decompressed bytes. In version 2, uncompressed levels precede the values. */
  #decompressed(bytes: Uint8Array, header: PageHeader, { codec }: ColumnMetaData): Uint8Array {
    const { decompressPage, compressors } = this.#library;
    const second = header.data_page_header_v2;
    if (!second) return decompressPage(bytes, header.uncompressed_page_size, codec, compressors);
    const levels = second.repetition_levels_byte_length + second.definition_levels_byte_length;
    const size = header.uncompressed_page_size - levels;
    if (!(levels >= 0 && levels <= bytes.length && size >= 0)) throw new Error(`a page's levels have ${levels} bytes`);
    if (second.is_compressed === false || size === 0) return bytes;
    const values = decompressPage(bytes.subarray(levels), size, codec, compressors);
    const whole = new Uint8Array(levels + values.length);
    whole.set(bytes.subarray(0, levels));
    whole.set(values, levels);
    return whole;
  }

  async #header(at: number, end: number): Promise<{ header: PageHeader; length: number }> {
    for (let size = HEADER; ; size *= 8) {
      const view = new DataView(await read(this.#handle, at, Math.min(at + size, end)));
      const reader = { view, offset: 0 };
      try {
        return { header: this.#library.parquetHeader(reader), length: reader.offset };
      } catch (error) {
        if (at + size >= end || !(error instanceof RangeError)) throw new ParquetFault((error as Error).message);
      }
    }
  }

  #assembled(values: DecodedArray, meta: ColumnMetaData, top: SchemaTree): DecodedArray {
    const columns = new Map([[meta.path_in_schema.join('.'), values]]);
    this.#library.assembleNested(columns, top, this.#library.parsers);
    return columns.get(top.path.join('.'))!;
  }
}

/** Decompresses to exactly the stated length. */
function unzstd(input: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  const decompress = new (fzstd().Decompress)((data) => {
    bytes.set(data, at);
    at += data.length;
  });
  new ZstdFrames(undefined).take(input);
  decompress.push(input, true);
  return bytes.subarray(0, at);
}

async function read(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, start + length);
    if (bytesRead === 0) throw new ParquetFault('the file is truncated');
    length += bytesRead;
  }
  return bytes.buffer;
}

/** Turns errors that hyparquet throws into errors of the file. */
async function fault<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ParquetFault || (error as NodeJS.ErrnoException).syscall) throw error;
    throw new ParquetFault((error as Error).message, { cause: error });
  }
}
