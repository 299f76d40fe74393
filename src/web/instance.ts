import { type ErrorCode, ModelFileError, RecurraError } from '../core/errors.js';
import type { ForbiddenTransitions } from '../engine/network.js';
import type { SamplingSettings } from '../engine/writing.js';

/** What the module exports; the crate `recurra-web` says what each does. */
interface Exports {
  memory: WebAssembly.Memory;
  recurra_alloc(bytes: number): number;
  recurra_free(room: number, bytes: number): void;
  recurra_message(): number;
  recurra_message_bytes(): number;
  recurra_begin(settings: number, count: number): number;
  recurra_tokens(units: number, total: number, ends: number, count: number): number;
  recurra_array(
    member: number,
    name: number,
    nameBytes: number,
    dtype: number,
    dtypeBytes: number,
    shape: number,
    dims: number,
    data: number,
    dataBytes: number,
  ): number;
  recurra_finish(): number;
  recurra_needs_lower(text: number, units: number): number;
  recurra_predict(text: number, units: number, lowered: number, loweredUnits: number): number;
  recurra_predict_ids(ids: number, count: number, text: number, units: number): number;
  recurra_raw_scores(): number;
  recurra_answer(): number;
  recurra_forbid(flags: number, count: number): number;
  recurra_forms(units: number, total: number, ends: number, ids: number, count: number): number;
  recurra_tag(tokens: number, count: number, lengths: number, rows: number): number;
  recurra_text(
    number: number,
    temperature: number,
    topK: number,
    topP: number,
    repetitionPenalty: number,
    seed: number,
    end: number,
    never: number,
    count: number,
  ): number;
  recurra_write(number: number, units: number, count: number, most: number): number;
  recurra_written(): number;
  recurra_written_count(): number;
  recurra_end_text(number: number): number;
}

/** Room in the module's memory. */
interface Room {
  at: number;
  bytes: number;
}

/** Words as the module takes them: the UTF-16 units of all, and where each ends. */
function unitsOf(words: readonly string[]): { units: Uint16Array; ends: Uint32Array } {
  const units = new Uint16Array(words.reduce((sum, { length }) => sum + length, 0));
  const ends = new Uint32Array(words.length);
  let end = 0;
  for (const [index, word] of words.entries()) {
    for (let i = 0; i < word.length; i++) units[end++] = word.charCodeAt(i);
    ends[index] = end;
  }
  return { units, ends };
}

/** Bytes of the room for a short text. */
const SMALLEST_ROOM = 1024;

/** Error codes of the module that a model file is to blame for, whatever they are called there. */
const OF_FILES: readonly string[] = [
  'INVALID_FILE',
  'STATE_MISMATCH',
  'INVALID_SHAPE',
  'INVALID_DTYPE',
  'INVALID_ARGUMENT',
  'OUT_OF_RANGE',
];

function outOfMemory(bytes: number): RecurraError {
  const needed = Math.ceil(bytes / 2 ** 20);
  return new RecurraError(
    'OUT_OF_MEMORY',
    `no memory for another ${needed} MiB; WebAssembly has at most 4 GiB, many browsers allow less`,
  );
}

/**
 * An instance of the module, with its own memory for one model. What was thrown out of the module leaves it in no
 * usable state, so it then refuses all work.
 */
export class Instance {
  readonly #exports: Exports;
  #broken: RecurraError | undefined;
  /** Room for texts, kept from call to call. */
  readonly #text: Room = { at: 0, bytes: 0 };
  readonly #lowered: Room = { at: 0, bytes: 0 };

  private constructor(exports: Exports) {
    this.#exports = exports;
  }

  /** @throws {@link RecurraError} `OUT_OF_MEMORY` where not even the empty module has room. */
  static async create(module: WebAssembly.Module): Promise<Instance> {
    let memory: WebAssembly.Memory | undefined;
    const fail = (bytes: number, text: number, length: number): never => {
      if (length === 0) throw outOfMemory(bytes >>> 0);
      const said = new TextDecoder().decode(new Uint8Array(memory!.buffer, text >>> 0, length));
      throw new RecurraError('INTERNAL', said);
    };
    try {
      // The synchronous constructor is refused by some browsers' main threads.
      const instance = await WebAssembly.instantiate(module, { recurra: { fail } });
      const exports = instance.exports as unknown as Exports;
      memory = exports.memory;
      // A copy of the file may be older than the code.
      if (!exports.recurra_raw_scores) throw new Error('copy recurra.wasm again from the package of this version');
      return new Instance(exports);
    } catch (cause) {
      if (cause instanceof RangeError) throw new RecurraError('OUT_OF_MEMORY', cause.message, { cause });
      throw new RecurraError('IO', `this is not the WebAssembly module of recurra-web: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Runs a call of the module; what it throws makes the instance useless, what it refuses is thrown as an error. */
  #call(work: (module: Exports) => number): void {
    if (this.#broken) throw this.#broken;
    let failed: number;
    try {
      failed = work(this.#exports);
    } catch (cause) {
      this.#broken =
        cause instanceof RecurraError ? cause : new RecurraError('INTERNAL', (cause as Error).message, { cause });
      throw this.#broken;
    }
    if (failed !== 0) throw this.#refusal();
  }

  #refusal(): RecurraError {
    const module = this.#exports;
    const bytes = new Uint8Array(module.memory.buffer, module.recurra_message() >>> 0, module.recurra_message_bytes());
    const said = new TextDecoder().decode(bytes);
    const colon = said.indexOf(':');
    const [code, message] = [said.slice(0, colon), said.slice(colon + 1)];
    return OF_FILES.includes(code)
      ? new ModelFileError('INVALID_FILE', message)
      : new RecurraError(code as ErrorCode, message);
  }

  /** @throws {@link RecurraError} `OUT_OF_MEMORY`, which leaves the instance as it was. */
  #allocate(bytes: number): number {
    const at = this.#exports.recurra_alloc(bytes) >>> 0;
    if (at === 0) throw outOfMemory(bytes);
    return at;
  }

  /** Room with a copy of the bytes. */
  #put(data: Uint8Array): Room {
    const room = { at: this.#allocate(data.length), bytes: data.length };
    new Uint8Array(this.#exports.memory.buffer, room.at, room.bytes).set(data);
    return room;
  }

  /** Calls with copies of some arrays, which are freed afterwards. */
  #with(
    arrays: readonly (Uint8Array | Uint16Array | Uint32Array | Int32Array)[],
    work: (module: Exports, at: readonly number[]) => number,
  ): void {
    const rooms: Room[] = [];
    try {
      for (const array of arrays)
        rooms.push(this.#put(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)));
      this.#call((module) =>
        work(
          module,
          rooms.map(({ at }) => at),
        ),
      );
    } finally {
      // What a call threw out of may be in any state.
      if (!this.#broken) for (const { at, bytes } of rooms) this.#exports.recurra_free(at, bytes);
    }
  }

  /** Begins a model; the crate's `Settings` lists the numbers. */
  begin(settings: Uint32Array): void {
    this.#with([settings], (module, [at]) => module.recurra_begin(at!, settings.length));
  }

  /** Adds the tokens of the vocabulary. */
  tokens(tokens: readonly string[]): void {
    const { units, ends } = unitsOf(tokens);
    this.#with([units, ends], (module, [from, to]) => module.recurra_tokens(from!, units.length, to!, ends.length));
  }

  /** Says what a tagger never predicts. */
  forbid({ start, end, between }: ForbiddenTransitions): void {
    const flags = new Uint8Array(start.length + end.length + between.length);
    flags.set(start);
    flags.set(end, start.length);
    flags.set(between, start.length + end.length);
    this.#with([flags], (module, [at]) => module.recurra_forbid(at!, flags.length));
  }

  /** Adds an array of a network, or of the linear model. */
  array(member: number, name: string, dtype: string, shape: readonly number[], data: Uint8Array): void {
    const encoder = new TextEncoder();
    const [called, kind, sizes] = [encoder.encode(name), encoder.encode(dtype), Uint32Array.from(shape)];
    // The module keeps it.
    const room = this.#put(data);
    this.#with([called, kind, sizes], (module, [first, second, third]) =>
      module.recurra_array(
        member,
        first!,
        called.length,
        second!,
        kind.length,
        third!,
        sizes.length,
        room.at,
        room.bytes,
      ),
    );
  }

  /** Makes the model of what was given. */
  finish(): void {
    this.#call((module) => module.recurra_finish());
  }

  /** Writes a text into kept room, which grows with the longest one. */
  #write(text: string, room: Room): void {
    const bytes = text.length * 2;
    if (bytes > room.bytes) {
      const size = Math.max(SMALLEST_ROOM, bytes);
      // Where there is no memory for it, the smaller room still serves.
      const at = this.#allocate(size);
      if (room.bytes > 0) this.#exports.recurra_free(room.at, room.bytes);
      Object.assign(room, { at, bytes: size });
    }
    const units = new Uint16Array(this.#exports.memory.buffer, room.at, text.length);
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  }

  /** Labels a text, whose tokens the module looks up; gives `numbers` numbers, a copy. */
  predict(text: string, numbers: number): Float32Array {
    if (this.#broken) throw this.#broken;
    const [plain, lowered] = [this.#text, this.#lowered];
    this.#write(text, plain);
    if (this.#exports.recurra_needs_lower(plain.at, text.length) === 0) {
      this.#call((module) => module.recurra_predict(plain.at, text.length, plain.at, text.length));
    } else {
      const lower = text.toLowerCase();
      this.#write(lower, lowered);
      this.#call((module) => module.recurra_predict(plain.at, text.length, lowered.at, lower.length));
    }
    return this.#answer(numbers);
  }

  /** Labels a text whose tokens are looked up already. */
  predictIds(ids: Int32Array, text: string, numbers: number): Float32Array {
    if (this.#broken) throw this.#broken;
    const plain = this.#text;
    this.#write(text, plain);
    this.#with([ids], (module, [at]) => module.recurra_predict_ids(at!, ids.length, plain.at, text.length));
    return this.#answer(numbers);
  }

  /** The networks' scores before softmax for the text that was labelled last; returns `numbers` numbers, a copy. */
  rawScores(numbers: number): Float32Array {
    this.#call((module) => module.recurra_raw_scores());
    return this.#answer(numbers);
  }

  /** The different words of the sentence to come, each with its id, for a tagger that sees their characters. */
  forms(words: readonly string[], ids: Int32Array): void {
    const { units, ends } = unitsOf(words);
    this.#with([units, ends, ids], (module, [from, to, own]) =>
      module.recurra_forms(from!, units.length, to!, own!, ids.length),
    );
  }

  /** Tags a sentence in rows of some lengths; gives `numbers` numbers, a copy. */
  tag(tokens: Int32Array, lengths: Int32Array, numbers: number): Float32Array {
    this.#with([tokens, lengths], (module, [from, rows]) =>
      module.recurra_tag(from!, tokens.length, rows!, lengths.length),
    );
    return this.#answer(numbers);
  }

  /** Starts an empty text with its own number. */
  beginText(number: number, { temperature, topK, topP, repetitionPenalty, seed, end, never }: SamplingSettings): void {
    this.#with([Uint32Array.from(never)], (module, [at]) =>
      module.recurra_text(number, temperature, topK, topP, repetitionPenalty, seed, end, at!, never.length),
    );
  }

  /** Reads units as a text's next ones, and then writes up to `count` further ones. */
  write(number: number, units: Int32Array, count: number): { units: Int32Array; ended: boolean } {
    this.#with([units], (module, [at]) => module.recurra_write(number, at!, units.length, count));
    const { memory, recurra_written, recurra_written_count } = this.#exports;
    const [ended, ...written] = new Int32Array(memory.buffer, recurra_written() >>> 0, recurra_written_count());
    return { units: Int32Array.from(written), ended: ended === 1 };
  }

  /** Frees a text. */
  endText(number: number): void {
    // An instance that is of no use has nothing to free.
    if (!this.#broken) this.#call((module) => module.recurra_end_text(number));
  }

  #answer(numbers: number): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, this.#exports.recurra_answer() >>> 0, numbers).slice();
  }
}
