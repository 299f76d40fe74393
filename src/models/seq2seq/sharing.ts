import { inNextTurn } from '../../core/clock.js';
import { counted } from '../../core/counted.js';
import { RecurraError } from '../../core/errors.js';
import { aborted, throwIfAborted } from '../../core/signals.js';
import type { DecodeSettings, TranslatingEngine } from '../../engine/translating.js';
import { DEFAULTS, type ServingOptions, type ServingState, servingSettings } from '../serving/options.js';

/** A source as numbers, with the maximum units of its answer. */
export interface AskedSource {
  units: Int32Array;
  limit: number;
}

/** A found sequence. */
export interface FoundSequence {
  units: Int32Array;
  score: number;
  /** For each of its units one weight for each unit of the source. */
  alignments: Float32Array | undefined;
}

interface Call {
  sources: readonly AskedSource[];
  settings: DecodeSettings;
  /** Equal for settings that can be computed together. */
  key: string;
  found: FoundSequence[][];
  taken: number;
  /** Weight of the call in the queue. */
  weight: number;
  ended: boolean;
  resolve(found: FoundSequence[][]): void;
  reject(error: unknown): void;
}

/** Rows of one call of the engine, by the size of the beam: some tens of milliseconds. */
const TOGETHER = 512;

/** Maximum of target units times source units in a batch: alignments need that much memory. */
const MOST_PLACES = 1 << 22;

const WHAT = 'the prediction';

/**
 * Lets many calls share one model: calls that arrive together, or while a batch is computed, form the next batch. Long
 * calls take turns with the others.
 */
export class SharedDecoding {
  readonly #engine: TranslatingEngine;
  #settings = DEFAULTS;
  #calls: Call[] = [];
  #looping = false;
  #waiting = 0;
  #running = 0;
  #texts = 0;
  #batches = 0;
  #refused = 0;
  #whenIdle: (() => void)[] = [];
  /** The calls of the current batch, and its abort function. */
  #flight: { calls: Set<Call>; stop: AbortController } | undefined;

  constructor(engine: TranslatingEngine) {
    this.#engine = engine;
  }

  set(options: ServingOptions): void {
    this.#settings = servingSettings(options, this.#settings);
  }

  get state(): ServingState {
    const counts = { waiting: this.#waiting, running: this.#running, texts: this.#texts, batches: this.#batches };
    return { ...this.#settings, ...counts, refused: this.#refused };
  }

  get busy(): boolean {
    return this.#looping;
  }

  async drain(): Promise<void> {
    if (this.#looping) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Searches for `nBest` sequences for each source, in the order of the sources.
   *
   * @throws {@link RecurraError} `OVERLOADED` if `maxQueue` sources are waiting; `ABORTED`.
   */
  async ask(
    sources: readonly AskedSource[],
    settings: DecodeSettings,
    signal: AbortSignal | undefined,
  ): Promise<FoundSequence[][]> {
    throwIfAborted(signal, WHAT);
    if (sources.length === 0) return [];
    const { maxQueue, maxBatch } = this.#settings;
    if (this.#waiting >= maxQueue) {
      this.#refused++;
      throw new RecurraError(
        'OVERLOADED',
        `${counted(this.#waiting, 'text')} ${this.#waiting === 1 ? 'is' : 'are'} already waiting, and maxQueue is ${maxQueue}; try again later`,
      );
    }
    let onAbort = () => {};
    const found = new Promise<FoundSequence[][]>((resolve, reject) => {
      const weight = Math.min(sources.length, maxBatch);
      const call: Call = {
        sources,
        settings,
        key: keyOf(settings),
        found: [],
        taken: 0,
        weight,
        ended: false,
        resolve,
        reject,
      };
      onAbort = () => this.#fail(call, aborted(WHAT, signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#calls.push(call);
      this.#waiting += weight;
      if (this.#looping) return;
      this.#looping = true;
      // Start in the next turn of the event loop, so that calls of this turn join the first batch.
      inNextTurn(() => void this.#loop());
    });
    try {
      return await found;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #fail(call: Call, error: unknown): void {
    if (call.ended) return;
    call.ended = true;
    this.#weigh(call, 0);
    call.reject(error);
    // The current batch has no waiting caller left.
    if (this.#flight && [...this.#flight.calls].every(({ ended }) => ended)) this.#flight.stop.abort();
  }

  #weigh(call: Call, weight: number): void {
    this.#waiting += weight - call.weight;
    call.weight = weight;
  }

  /** Computes batches until no call waits. It never throws: an error ends the calls that it belongs to. */
  async #loop(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#compute(batch);
    this.#looping = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Takes sources from the calls in turn, all with the same settings. */
  #take(): { call: Call; source: AskedSource; index: number }[] {
    const batch: { call: Call; source: AskedSource; index: number }[] = [];
    this.#calls = this.#calls.filter(({ ended }) => !ended);
    const [first] = this.#calls;
    if (!first) return batch;
    const most = Math.min(this.#settings.maxBatch, Math.max(1, Math.floor(TOGETHER / first.settings.beamSize)));
    let places = 0;
    const later: Call[] = [];
    for (const call of this.#calls) {
      if (call.key !== first.key) {
        later.push(call);
        continue;
      }
      for (; call.taken < call.sources.length && batch.length < most && places < MOST_PLACES; call.taken++) {
        const source = call.sources[call.taken]!;
        batch.push({ call, source, index: call.taken });
        places += source.units.length * source.limit * first.settings.beamSize;
      }
      this.#weigh(call, Math.min(call.sources.length - call.taken, this.#settings.maxBatch));
      if (call.taken < call.sources.length) later.push(call);
    }
    // An unfinished call goes to the end of the queue.
    this.#calls = later[0] === first ? [...later.slice(1), first] : later;
    return batch;
  }

  async #compute(batch: readonly { call: Call; source: AskedSource; index: number }[]): Promise<void> {
    const { settings } = batch[0]!.call;
    const calls = new Set(batch.map(({ call }) => call));
    const stop = new AbortController();
    this.#flight = { calls, stop };
    this.#running = batch.length;
    try {
      const lengths = Int32Array.from(batch, ({ source }) => source.units.length);
      const tokens = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
      let at = 0;
      for (const { source } of batch) {
        tokens.set(source.units, at);
        at += source.units.length;
      }
      const limits = Int32Array.from(batch, ({ source }) => source.limit);
      const decoded = await this.#engine.decode(tokens, lengths, limits, settings, stop.signal);
      let weights = 0;
      for (const [row, { call, index, source }] of batch.entries()) {
        const sequences: FoundSequence[] = [];
        for (let place = row * settings.nBest; place < (row + 1) * settings.nBest; place++) {
          const units = decoded.units.slice(decoded.starts[place], decoded.starts[place + 1]);
          const count = units.length * source.units.length;
          const alignments = decoded.alignments?.slice(weights, weights + count);
          weights += count;
          const score = decoded.scores[place]!;
          // With few units there are few sequences.
          if (sequences.length === 0 || score > Number.NEGATIVE_INFINITY) sequences.push({ units, score, alignments });
        }
        call.found[index] = sequences;
      }
      this.#texts += batch.length;
      this.#batches++;
      for (const call of calls) {
        if (call.ended || call.taken < call.sources.length) continue;
        call.ended = true;
        call.resolve(call.found);
      }
    } catch (error) {
      for (const call of calls) this.#fail(call, error);
    } finally {
      this.#flight = undefined;
      this.#running = 0;
    }
  }
}

function keyOf({ beamSize, nBest, lengthPenalty, alignments }: DecodeSettings): string {
  return [beamSize, nBest, lengthPenalty, alignments].join();
}
