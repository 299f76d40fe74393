// What is fuzzed: each reader with bytes as a file may have them. A target resolves with what the reader gave, shortly, or
// throws what is a fault of the reader: anything but a typed error, or a result that contradicts itself.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** The options of the reader stand in the first byte, so that they are mutated too. */
const CSV_OPTIONS = [
  { text: 'text', label: 'label' },
  { text: 1, label: 2 },
  { text: [2, 1], label: 3, delimiter: '\t', labelSeparator: '|' },
  { text: 1, label: 2, quote: null, delimiter: ';', onBadRow: 'skip' },
  { text: 1, label: 2, header: true, quote: "'", delimiter: '::' },
  { text: 1, label: 2, encoding: 'latin1', onBadRow: 'skip' },
  { text: 1, label: 2, encoding: 'utf16le' },
  { text: 'text', label: 'label', maxRowBytes: 64, onBadRow: 'skip' },
];
const JSON_OPTIONS = [
  { text: 'text', label: 'label' },
  { text: ['title', 'text'], label: 'label', onBadRow: 'skip' },
  { text: 'text', label: 'label', labelSeparator: ',', maxRowBytes: 64 },
  { text: 'text', label: 'label', encoding: 'utf16le', onBadRow: 'skip' },
];
const FAST_TEXT_OPTIONS = [{}, { onBadRow: 'skip' }, { labelPrefix: '#' }, { maxRowBytes: 64, onBadRow: 'skip' }];
const PARQUET_OPTIONS = [
  { text: 1, label: 2 },
  { text: ['title', 'body'], label: 'topic', onBadRow: 'skip' },
  { text: ['id', 'body'], label: 'tags', labelSeparator: '|' },
  { text: 'body', label: 'number', onBadRow: 'skip' },
];
const CONLL_OPTIONS = [
  {},
  { onBadRow: 'skip' },
  { header: true, tag: 'tag', onBadRow: 'skip' },
  { tag: 'T', scheme: 'IOBES' },
  { comments: false, separator: 'blank', tag: 2, scheme: null },
  { token: 2, tag: 1, maxRowBytes: 64, onBadRow: 'skip' },
];
const CONLLU_OPTIONS = [{}, { tag: 4, onBadRow: 'skip' }, { tag: 'DEPREL', maxRowBytes: 64, onBadRow: 'skip' }];
const SPAN_OPTIONS = [
  {},
  { onBadRow: 'skip' },
  { offsets: 'codePoints' },
  { text: 'data', spans: 'label', onBadRow: 'skip' },
];

const TAG_OPTIONS = [
  { format: 'spans' },
  { format: 'spans', onBadRow: 'skip' },
  { format: 'spans', token: 'words', tag: 2, offsets: 'codePoints', onBadRow: 'skip' },
];

/** What a user may get of bad input; it is also told apart by it what is new. */
function expectTyped(error, { RecurraError }) {
  if (!(error instanceof RecurraError)) throw error;
  if (error.code === 'INTERNAL') throw error;
  // Digits, quoted words and the file apart, a message tells where in the reader the input was refused.
  return `${error.code} ${error.message
    .replace(/^\S+input\S* /, '')
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\d+/g, '0')
    .slice(0, 60)}`;
}

async function readAll(rows) {
  let count = 0;
  let last = 0;
  for await (const { text, label, line } of rows) {
    if (typeof text !== 'string' || !(line >= last)) throw new Error(`a row with text ${text} at line ${line}`);
    const labels = Array.isArray(label) ? label : [label];
    if (!labels.every((each) => typeof each === 'string' && each !== '')) throw new Error(`a row with label ${label}`);
    last = line;
    count++;
  }
  return `rows ${Math.min(count, 8)} skipped ${Math.min(rows.skipped, 4)}`;
}

async function readTagged(rows) {
  let count = 0;
  let last = 0;
  for await (const { tokens, tags, line } of rows) {
    if (tokens.length === 0 || tokens.length !== tags.length)
      throw new Error(`${tokens.length}, ${tags.length} at ${line}`);
    for (const each of [...tokens, ...tags])
      if (typeof each !== 'string' || each === '') throw new Error(`at ${line}: ${each}`);
    if (!(line > last)) throw new Error(`line ${line} after ${last}`);
    last = line;
    count++;
  }
  if (rows.hints.length > 0 !== rows.repaired > 0) throw new Error(`${rows.hints.length} hints, ${rows.repaired}`);
  return `rows ${Math.min(count, 8)} skipped ${Math.min(rows.skipped, 4)} ${rows.scheme} ${Math.min(rows.repaired, 4)}`;
}

async function readSpanned(rows) {
  let count = 0;
  for await (const { text, spans } of rows) {
    let at = 0;
    for (const { start, end, label } of spans) {
      if (!(start >= at && end > start && end <= text.length)) throw new Error(`a span from ${start} to ${end}`);
      if (typeof label !== 'string' || label === '') throw new Error(`a span with label ${label}`);
      if (text.slice(start, end).isWellFormed() !== text.isWellFormed() && text.isWellFormed())
        throw new Error('half a character');
      at = end;
    }
    count++;
  }
  return `rows ${Math.min(count, 8)} skipped ${Math.min(rows.skipped, 4)}`;
}

/** Rows with tags or spans. */
async function readEither(rows) {
  const kinds = new Set();
  for await (const row of rows) {
    kinds.add(Object.keys(row).join(' '));
    const { tokens, tags, spans, text } = row;
    if (tokens === undefined) {
      for (const { start, end } of spans)
        if (!(start >= 0 && end > start && end <= text.length)) throw new Error(`a span from ${start} to ${end}`);
      continue;
    }
    if (tokens.length !== tags.length || tags.includes('')) throw new Error(`${tokens.length}, ${tags.length}`);
    for (const each of [...tokens, ...tags]) if (typeof each !== 'string') throw new Error(`${each}`);
  }
  return `rows of ${[...kinds].sort().join(', ')} skipped ${Math.min(rows.skipped, 4)}`;
}

/**
 * Makes the targets.
 *
 * @param library - The module under test, of `dist` or `src`.
 * @param fixtures - Folder with a small model, `v1.safetensors`.
 */
export function readerTargets(library, fixtures) {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-fuzz-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const {
    readCsv,
    readConll,
    readConllu,
    readSpans,
    readTags,
    readJsonLines,
    readFastText,
    readParquet,
    Vectors,
    Vocab,
    LanguageModel,
    TextClassifier,
    TextTagger,
  } = library;
  const vocab = Vocab.fromTokens(['<unk>', '<pad>', 'one', 'two', 'the', 'w7']);
  const model = parts(readFileSync(join(fixtures, 'v1.safetensors')));

  const typed = (work) => async (bytes) => {
    try {
      return await work(bytes);
    } catch (error) {
      return expectTyped(error, library);
    }
  };
  const stream = (read, options, readRows = readAll) =>
    typed((bytes) => {
      const cut = 1 + (bytes.length >> 1);
      const chunks = [bytes.subarray(1, cut), bytes.subarray(cut)].filter((chunk) => chunk.length > 0);
      return readRows(read(Readable.from(chunks, { objectMode: false }), options[(bytes[0] ?? 0) % options.length]));
    });
  const place = join(folder, 'input');

  return {
    csv: stream(readCsv, CSV_OPTIONS),
    jsonLines: stream(readJsonLines, JSON_OPTIONS),
    fastText: stream(readFastText, FAST_TEXT_OPTIONS),
    conll: stream(readConll, CONLL_OPTIONS, readTagged),
    conllu: stream(readConllu, CONLLU_OPTIONS, readTagged),
    spans: stream(readSpans, SPAN_OPTIONS, readSpanned),
    tags: stream(readTags, TAG_OPTIONS, readEither),
    parquet: typed((bytes) => {
      writeFileSync(place, bytes.subarray(1));
      return readAll(readParquet(place, PARQUET_OPTIONS[(bytes[0] ?? 0) % PARQUET_OPTIONS.length]));
    }),
    vectors: typed(async (bytes) => {
      writeFileSync(place, bytes.subarray(1));
      const { matrix, dim, known } = await Vectors.load(place, {
        vocab,
        invalidUtf8: bytes[0] & 1 ? 'skip' : 'error',
        format: [undefined, 'glove', 'word2vec-text', 'word2vec-binary'][(bytes[0] >> 1) & 3],
      });
      if (matrix.length !== dim * vocab.size || !matrix.every(Number.isFinite)) throw new Error('not finite');
      return `vectors ${Math.min(dim, 4)} ${known.join('')}`;
    }),
    /** The JSON that describes a model, in a file whose checksum fits. */
    model: typed(async (bytes) => {
      const metadata = { ...model.metadata, model: bytes.toString('utf8') };
      writeFileSync(place, sealed(model.header, metadata, model.bytes));
      const loaded = await TextClassifier.load(place);
      try {
        const { probability } = await loaded.predict('one two');
        if (!(probability >= 0 && probability <= 1)) throw new Error(`probability ${probability}`);
        if ({}.polluted !== undefined) throw new Error('a prototype was changed');
        return `model ${loaded.labels.length}`;
      } finally {
        await loaded.close();
      }
    }),
    /** The file of a compressed model, its checksum made to fit; the first byte says of which kind it is. */
    compressed: typed(async (bytes) => {
      writeFileSync(place, resealed(bytes.subarray(1)));
      const kind = [TextClassifier, TextTagger, LanguageModel][(bytes[0] ?? 0) % 3];
      const loaded = await kind.load(place, { threads: 1 });
      try {
        let scores;
        if (kind === TextClassifier) scores = (await loaded.predict('one two')).classes.map((each) => each.probability);
        else if (kind === TextTagger) scores = (await loaded.predict(['one', 'two'])).probabilities;
        else scores = [(await loaded.evaluate(['one two'])).loss / 1e9];
        if (scores.length === 0 || !scores.every((score) => score >= 0 && score <= 1))
          throw new Error(`scores ${scores}`);
        return `model ${kind.name} ${loaded.vocab.size}`;
      } finally {
        await loaded.close();
      }
    }),
  };
}

/**
 * The file with a checksum that fits, so that the following data are read; unchanged if it has no header to put one
 * into.
 */
function resealed(file) {
  try {
    const { header, metadata, bytes } = parts(file);
    return sealed(header, metadata, bytes);
  } catch {
    return file;
  }
}

function parts(whole) {
  const end = 8 + Number(whole.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(whole.toString('utf8', 8, end));
  return { header, metadata, bytes: whole.subarray(end) };
}

/** A file with the checksum of its contents, as `crates/files` makes it. */
function sealed(header, metadata, bytes) {
  const hash = createHash('sha256');
  const field = (data) => {
    const content = Buffer.from(data);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(content.length));
    hash.update(size).update(content);
  };
  const { sha256: _, ...others } = metadata;
  const order = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  for (const key of Object.keys(others).sort(order)) {
    field(key);
    field(others[key]);
  }
  for (const name of Object.keys(header).sort(order)) {
    const { dtype, shape, data_offsets } = header[name];
    field(name);
    field(`${dtype} [${shape.join(', ')}]`);
    field(bytes.subarray(...data_offsets));
  }
  const text = Buffer.from(JSON.stringify({ __metadata__: { ...others, sha256: hash.digest('hex') }, ...header }));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, bytes]);
}
