import { type ErrorCode, ModelFileError, RecurraError } from '../core/errors.js';

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
  recurra_answer(): number;
}

/** Room in the module's memory. */
interface Room {
  at: number;
  bytes: number;
}

/** Error codes of the module that a model file is to blame for, whatever they are called there. */
const OF_FILES: readonly string[] = ['INVALID_FILE', 'STATE_MISMATCH', 'INVALID_SHAPE', 'INVALID_DTYPE', 'INVALID_ARGUMENT', 'OUT_OF_RANGE'];

/**
 * An instance of the module, with a memory of its own that holds one model. What was thrown out of the module leaves it in no usable
 * state, so it then refuses all work.
 */
export class Instance {
  readonly #exports: Exports;
  #broken: RecurraError | undefined;
  /** Room for texts, kept from call to call. */
  #text: Room = { at: 0, bytes: 0 };
  #lowered: Room = { at: 0, bytes: 0 };

  /** @throws RecurraError `OUT_OF_MEMORY` where not even the empty module has room. */
  constructor(module: WebAssembly.Module) {
    let memory: WebAssembly.Memory | undefined;
    const fail = (bytes: number, text: number, length: number): never => {
      if (length === 0) {
        const needed = Math.ceil((bytes >>> 0) / 2 ** 20);
        throw new RecurraError('OUT_OF_MEMORY', `no memory for another ${needed} MiB; WebAssembly has at most 4 GiB, many browsers allow less`);
      }
      const said = new TextDecoder().decode(new Uint8Array(memory!.buffer, text >>> 0, length));
      throw new RecurraError('INTERNAL', said);
    };
    try {
      const instance = new WebAssembly.Instance(module, { recurra: { fail } });
      this.#exports = instance.exports as unknown as Exports;
      memory = this.#exports.memory;
    } catch (cause) {
      if (cause instanceof RangeError) throw new RecurraError('OUT_OF_MEMORY', cause.message, { cause });
      throw cause;
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

  /** Room with a copy of the bytes. */
  #put(data: Uint8Array): Room {
    const room = { at: this.#exports.recurra_alloc(data.length) >>> 0, bytes: data.length };
    new Uint8Array(this.#exports.memory.buffer, room.at, room.bytes).set(data);
    return room;
  }

  /** Calls with copies of some arrays, which are freed afterwards. */
  #with(arrays: readonly (Uint8Array | Uint16Array | Uint32Array | Int32Array)[], work: (module: Exports, at: readonly number[]) => number): void {
    this.#call((module) => {
      const rooms = arrays.map((array) => this.#put(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)));
      const failed = work(module, rooms.map(({ at }) => at));
      for (const { at, bytes } of rooms) module.recurra_free(at, bytes);
      return failed;
    });
  }

  /** Begins a model; the crate's `Settings` lists the numbers. */
  begin(settings: Uint32Array): void {
    this.#with([settings], (module, [at]) => module.recurra_begin(at!, settings.length));
  }

  /** Adds the tokens of the vocabulary. */
  tokens(tokens: readonly string[]): void {
    const units = new Uint16Array(tokens.reduce((sum, { length }) => sum + length, 0));
    const ends = new Uint32Array(tokens.length);
    let end = 0;
    for (const [index, token] of tokens.entries()) {
      for (let i = 0; i < token.length; i++) units[end++] = token.charCodeAt(i);
      ends[index] = end;
    }
    this.#with([units, ends], (module, [from, to]) => module.recurra_tokens(from!, units.length, to!, ends.length));
  }

  /** Adds an array of a network, or of the linear model. */
  array(member: number, name: string, dtype: string, shape: readonly number[], data: Uint8Array): void {
    const encoder = new TextEncoder();
    const [called, kind, sizes] = [encoder.encode(name), encoder.encode(dtype), Uint32Array.from(shape)];
    this.#with([called, kind, sizes], (module, [first, second, third]) => {
      // The module keeps it.
      const room = this.#put(data);
      return module.recurra_array(member, first!, called.length, second!, kind.length, third!, sizes.length, room.at, room.bytes);
    });
  }

  /** Makes the model of what was given. */
  finish(): void {
    this.#call((module) => module.recurra_finish());
  }

  /** Writes a text into kept room, which grows with the longest one. */
  #write(text: string, room: Room): Room {
    const bytes = text.length * 2;
    let { at, bytes: size } = room;
    if (bytes > size) {
      if (size > 0) this.#exports.recurra_free(at, size);
      size = Math.max(1024, 2 * bytes);
      at = this.#exports.recurra_alloc(size) >>> 0;
    }
    const units = new Uint16Array(this.#exports.memory.buffer, at, text.length);
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
    return { at, bytes: size };
  }

  /** Labels a text, whose tokens the module looks up; gives `numbers` numbers, a copy. */
  predict(text: string, numbers: number): Float32Array {
    this.#call((module) => {
      this.#text = this.#write(text, this.#text);
      const { at } = this.#text;
      if (module.recurra_needs_lower(at, text.length) === 0)
        return module.recurra_predict(at, text.length, at, text.length);
      const lowered = text.toLowerCase();
      this.#lowered = this.#write(lowered, this.#lowered);
      return module.recurra_predict(at, text.length, this.#lowered.at, lowered.length);
    });
    return this.#answer(numbers);
  }

  /** Labels a text whose tokens are looked up already. */
  predictIds(ids: Int32Array, text: string, numbers: number): Float32Array {
    this.#with([ids], (module, [at]) => {
      this.#text = this.#write(text, this.#text);
      return module.recurra_predict_ids(at!, ids.length, this.#text.at, text.length);
    });
    return this.#answer(numbers);
  }

  #answer(numbers: number): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, this.#exports.recurra_answer() >>> 0, numbers).slice();
  }
}
