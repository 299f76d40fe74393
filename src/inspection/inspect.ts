import { DataError } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import { Turns } from '../core/turns.js';
import { fileOfRow, filesInWords, type GivenRow, noRows, positionOf, type RowsOrigin } from '../data/readers/rows.js';
import { foundIn, labelled, misspelled } from '../data/sets/labels.js';
import { peek } from '../data/sets/peek.js';
import type { TokenizerName } from '../text/names.js';
import { ScriptCounter } from '../text/scripts.js';
import { getTokenizer, type Tokenizer } from '../text/tokenizer.js';
import { Vectors } from '../text/vectors.js';
import { VocabBuilder } from '../text/vocabBuilder.js';
import { adviceOf } from './advice.js';
import { DuplicateFinder, type Repeated } from './duplicates.js';
import { beginning, Finding, placeOf, type RowShown } from './found.js';
import type { AgainstFindings, BadRows, Inspection, LabelFindings } from './inspection.js';
import { evenness, LabelCounter } from './labels.js';
import { type Guess, LanguageCounter, languageGuess } from './languages.js';
import { LengthCounter } from './lengths.js';
import { NearDuplicateFinder, type Resembling } from './nearDuplicates.js';
import { INSPECT, INSPECTED, type InspectedRows, type InspectOptions } from './options.js';
import { comparable } from './textKey.js';

/** Rows used to choose the tokenizer. */
const LOOKED_AT = 1_000;

/** A row with labels as text; undefined labels for an unlabelled text. */
interface ReadRow {
  text: string;
  labels: readonly string[] | undefined;
  line: number | undefined;
  /** The file, if the rows come from several. */
  file: string | undefined;
}

function readRow(row: unknown, number: number, origin: RowsOrigin): ReadRow {
  const { text, label, line } = Object(row) as Partial<GivenRow>;
  const file = origin.fileOf && fileOfRow(origin, number);
  // A misspelt field must not pass for a text without labels.
  if (typeof text === 'string' && label === undefined && misspelled(row as object) === undefined)
    return { text, labels: undefined, line, file };
  const read = labelled(row as GivenRow);
  if (read) {
    const { label: names } = read;
    return { text: read.text, labels: typeof names === 'string' ? [names] : names, line, file };
  }
  throw new DataError(
    'INVALID_ROW',
    `${placeOf(number, { line })}expected { text, label } or { text } but found ${foundIn(row)}`,
    positionOf(origin, number, line),
  );
}

/** Looks at rows one by one. */
class Inspector {
  readonly #labels = new LabelCounter();
  readonly #duplicates: DuplicateFinder;
  readonly #near: NearDuplicateFinder;
  readonly #languages: LanguageCounter;
  readonly #characters = new LengthCounter();
  readonly #tokens = new LengthCounter();
  readonly #empty: Finding;
  readonly #long: Finding;
  readonly #split: Tokenizer;
  readonly #maxLength: number;
  readonly #words: VocabBuilder | undefined;
  #labelled = 0;
  #rows = 0;

  constructor(
    split: Tokenizer,
    {
      examples,
      similarity,
      nearRows,
      maxLength,
    }: { examples: number; similarity: number; nearRows: number; maxLength: number },
    words: VocabBuilder | undefined,
    guess: Guess,
    fileOf: RowsOrigin['fileOf'],
  ) {
    this.#duplicates = new DuplicateFinder(examples, fileOf);
    this.#near = new NearDuplicateFinder(similarity, nearRows, examples);
    this.#empty = new Finding(examples);
    this.#long = new Finding(examples);
    this.#split = split;
    this.#maxLength = maxLength;
    this.#words = words;
    this.#languages = new LanguageCounter(guess);
  }

  get rows(): number {
    return this.#rows;
  }

  add(row: ReadRow): void {
    const number = ++this.#rows;
    const { text, labels } = row;
    const shown = () => shownRow(row, number);
    if (labels) {
      this.#labelled++;
      this.#labels.add(labels);
    }
    const key = comparable(text);
    this.#characters.add(codePoints(text));
    const tokens = this.#split(text);
    this.#tokens.add(tokens.length);
    this.#words?.add(tokens);
    // Texts without a word have no further properties.
    if (key === '') {
      this.#empty.add(shown);
      return;
    }
    if (tokens.length > this.#maxLength) this.#long.add(shown);
    this.#languages.add(text);
    if (this.#duplicates.add(key, labels, shown, { row: number, line: row.line })) this.#near.add(key, shown);
  }

  /** Looks up a row of the file to be measured on. */
  compare(row: ReadRow, number: number, repeated: Finding<Repeated>, resembling: Finding<Resembling>): void {
    const key = comparable(row.text);
    if (key === '') return;
    const shown = () => shownRow(row, number);
    const first = this.#duplicates.firstOf(key);
    if (first === undefined) this.#near.look(key, shown, resembling);
    else repeated.add(() => ({ ...shown(), ...first }));
  }

  /** Whether a row has a label. */
  knows(label: string): boolean {
    return this.#labels.has(label);
  }

  found(tokenizer: TokenizerName): Omit<Inspection, 'advice' | 'against' | 'coverage' | 'badRows' | 'emptyCells'> {
    const labels = this.#labelled > 0 ? { labels: labelFindings(this.#labels) } : {};
    return {
      rows: this.#rows,
      distinctTexts: this.#duplicates.distinct,
      ...labels,
      emptyTexts: this.#empty.found,
      longTexts: this.#long.found,
      characters: this.#characters.lengths,
      tokens: this.#tokens.lengths,
      tokenizer,
      scripts: this.#languages.scripts,
      languages: this.#languages.languages,
      duplicates: this.#duplicates.repeated,
      conflicts: this.#duplicates.conflicting,
      nearDuplicates: { ...this.#near.found, comparedWith: this.#near.comparedWith },
    };
  }
}

function labelFindings(counter: LabelCounter): LabelFindings {
  const counts = counter.labels;
  const imbalance = counts.length === 0 ? 1 : counts[0]!.rows / counts.at(-1)!.rows;
  return {
    counts,
    evenness: evenness(counts),
    imbalance,
    rowsWithoutLabel: counter.without,
    rowsWithSeveral: counter.several,
    similar: counter.similar,
  };
}

function shownRow({ text, labels, line, file }: ReadRow, row: number): RowShown {
  const place = { row, ...(line === undefined ? {} : { line }), ...(file === undefined ? {} : { file }) };
  return { ...place, ...(labels ? { labels } : {}), text: beginning(text) };
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) count++;
  return count;
}

/** The rows that a reader has skipped. */
function badRowsOf({ skipped = 0, whySkipped = [] }: RowsOrigin): BadRows {
  return { rows: skipped, reasons: whySkipped.map(({ message }) => message) };
}

async function against(
  rows: InspectedRows,
  inspector: Inspector,
  examples: number,
  turns: Turns,
): Promise<AgainstFindings> {
  const repeated = new Finding<Repeated>(examples);
  const resembling = new Finding<Resembling>(examples);
  const unknown = new Set<string>();
  let number = 0;
  for await (const given of rows as AsyncIterable<GivenRow>) {
    const row = readRow(given, ++number, rows);
    inspector.compare(row, number, repeated, resembling);
    for (const label of row.labels ?? []) if (!inspector.knows(label)) unknown.add(label);
    if (turns.due) await turns.next();
  }
  if (number === 0) throw noRows('there are no rows to compare with', rows);
  const findings = { repeated: repeated.found, resembling: resembling.found, unknownLabels: [...unknown] };
  return {
    ...(filesInWords(rows) === undefined ? {} : { file: filesInWords(rows)! }),
    rows: number,
    badRows: badRowsOf(rows),
    ...findings,
  };
}

/**
 * Inspects rows before training: labels and their balance, lengths, languages, duplicates, conflicting labels, labels
 * that look alike, and texts that also appear in the rows to be measured on. The rows are streamed: memory is used for
 * hashes (32 bytes per text), not for the texts, plus about 1 KB for each text that is compared for near duplicates.
 *
 * @param rows - Texts with or without labels, such as from a reader; see {@link InspectedRows}.
 * @param options - See {@link InspectOptions}.
 * @returns the findings, and advice.
 * @throws {@link ArgumentError} for invalid options. {@link DataError} for an invalid row (with its line), for no rows,
 * and errors of readers. {@link RecurraError} `ABORTED` if the signal is aborted.
 *
 * @example
 * ```ts
 * const rows = readCsv('tickets.csv', { text: 'text', label: 'queue' });
 * const { advice } = await inspectRows(rows, { against: readCsv('test.csv', { text: 'text', label: 'queue' }) });
 * for (const { message } of advice) console.log(message);
 * ```
 */
export async function inspectRows(rows: InspectedRows, options: InspectOptions = {}): Promise<Inspection> {
  checkNames('inspectRows', options, INSPECT);
  const settings = settingsOf(INSPECT, options);
  INSPECTED.check('rows', rows);
  const { signal, onProgress, examples, embeddings } = settings;
  let read = 0;
  const turns = new Turns(signal, () => onProgress?.({ rows: read }), 'the inspection');
  const { source, first } = await peek(rows, LOOKED_AT, turns);
  const tokenizer = settings.tokenizer ?? chosenTokenizer(first);
  const words = embeddings === undefined ? undefined : new VocabBuilder();
  const inspector = new Inspector(getTokenizer(tokenizer), settings, words, await languageGuess(), rows.fileOf);
  for await (const given of source as AsyncIterable<GivenRow>) {
    inspector.add(readRow(given, inspector.rows + 1, rows));
    read = inspector.rows;
    if (turns.due) await turns.next();
  }
  if (inspector.rows === 0) throw noRows('there are no rows to inspect', rows);
  const found: Omit<Inspection, 'advice'> = {
    ...inspector.found(tokenizer),
    badRows: badRowsOf(rows),
    emptyCells: Array.from(rows.emptyCells ?? [], ([column, count]) => ({ column, rows: count })),
    ...(settings.against ? { against: await against(settings.against, inspector, examples, turns) } : {}),
    ...(words && embeddings !== undefined ? { coverage: await coverageOf(words, embeddings, signal) } : {}),
  };
  return { ...found, advice: adviceOf(found) };
}

function chosenTokenizer(first: readonly unknown[]): TokenizerName {
  const scripts = new ScriptCounter();
  for (const row of first as Partial<GivenRow>[]) if (typeof row?.text === 'string') scripts.add(row.text);
  return scripts.choice.tokenizer;
}

async function coverageOf(words: VocabBuilder, file: string, signal: AbortSignal | undefined) {
  const vocab = words.build({ specials: [] });
  const seen = new Map(words.counts());
  const counts = Float64Array.from({ length: vocab.size }, (_, index) => seen.get(vocab.itos[index]!) ?? 0);
  const { coverage } = await Vectors.load(file, { vocab, counts, ...(signal ? { signal } : {}) });
  return coverage;
}
