import type { Child } from './child.js';
import { shapeName } from './shapes.js';
import type { Measured, OurSpec, Spec, TheirSpec, Timing } from './types.js';

/** One way of doing a work: a worker, and what it is to do. */
export interface Contender<S extends Spec = Spec> {
  worker: Child;
  threads: number;
  spec: S;
}

export type Ours = Contender<OurSpec>;
export type Theirs = Contender<TheirSpec>;

/** One figure of one contender, for the details. */
export interface Measurement {
  contender: string;
  shape: string;
  /** `probe`: short, to find the best settings; `run`: in turns with the others. */
  phase: 'probe' | 'run';
  values: number[];
}

/** Settings of a contender in words. */
export function describe({ spec, threads }: Contender): string {
  const common = threads === 1 ? '1 thread' : `${threads} threads`;
  if (spec.side === 'ours') {
    const weights = spec.recurrentWeights && `${spec.recurrentWeights} recurrent weights`;
    const parts = [spec.api, weights, spec.input, spec.order && orderOf(spec.order), spec.device, common];
    return parts.filter((part) => part !== undefined).join(', ');
  }
  const parts = [
    spec.input,
    spec.work === 'train' ? `Adam ${spec.adam}` : undefined,
    `oneDNN ${spec.onednn ? 'on' : 'off'}`,
  ];
  if (spec.work !== 'predictOne') parts.push(orderOf(spec.order));
  if (spec.device !== undefined) parts.push(spec.resident ? 'batches on the GPU' : 'batches moved');
  return ['PyTorch', ...parts, common].filter((part) => part !== undefined).join(', ');
}

/** Kind of an order, from its file's name. */
export function orderOf(file: string): string {
  return /order-(\w+)-\d+\.i32$/.exec(file)?.[1] ?? file;
}

/** Whether a larger value of this work is better. */
function largerIsBetter({ spec }: Contender): boolean {
  return spec.work !== 'predictOne';
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How a work is measured. */
export interface MeasureOptions {
  repeats: number;
  timing: Timing;
  /** Timing of the search for the best settings. */
  probe: Timing;
  /** Settings that are measured in full after the search, at most. */
  finalists: number;
}

/** A probe this near to the best one may still turn out to be the best. */
const NEAR_THE_BEST = 1.15;

/** Measures contenders in turns, and keeps every figure. */
export class Bench {
  readonly options: MeasureOptions;
  readonly measurements: Measurement[] = [];
  readonly #say: (line: string) => void;

  constructor(options: MeasureOptions, say: (line: string) => void) {
    this.options = options;
    this.#say = say;
  }

  /** One figure. */
  async once({ worker, spec }: Contender, timing: Timing): Promise<Measured> {
    return worker.request<Measured>('measure', { spec, timing });
  }

  /** Lets the workers of these contenders free what they keep. */
  async drop(contenders: readonly Contender[]): Promise<void> {
    for (const worker of new Set(contenders.map((contender) => contender.worker))) await worker.request('drop');
  }

  /** The best settings of many by a short look at each; more than one only if they are close to the best. */
  async finalists<C extends Contender>(contenders: readonly C[]): Promise<C[]> {
    if (contenders.length <= 1) return [...contenders];
    const probed: { contender: C; value: number }[] = [];
    for (const contender of contenders) {
      const { value } = await this.once(contender, this.options.probe);
      await this.drop([contender]);
      this.keep(describe(contender), shapeName(contender.spec.shape), [value], 'probe');
      probed.push({ contender, value: largerIsBetter(contender) ? -value : value });
    }
    probed.sort((a, b) => a.value - b.value);
    const best = probed[0]!.value;
    const limit = best < 0 ? best / NEAR_THE_BEST : best * NEAR_THE_BEST;
    return probed
      .filter(({ value }) => value <= limit)
      .slice(0, this.options.finalists)
      .map(({ contender }) => contender);
  }

  /** Measures all contenders once, then all again, `repeats` times, each time beginning with another; returns the medians. */
  async alternate(contenders: readonly Contender[]): Promise<Map<Contender, number>> {
    const values = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
    for (let repeat = 0; repeat < this.options.repeats; repeat++) {
      for (let i = 0; i < contenders.length; i++) {
        const contender = contenders[(repeat + i) % contenders.length]!;
        values.get(contender)!.push((await this.once(contender, this.options.timing)).value);
      }
    }
    await this.drop(contenders);
    for (const [contender, all] of values) this.keep(describe(contender), shapeName(contender.spec.shape), all);
    return new Map(contenders.map((contender) => [contender, median(values.get(contender)!)]));
  }

  /** The best of some contenders of one work. */
  best<C extends Contender>(
    medians: Map<Contender, number>,
    contenders: readonly C[],
  ): { contender: C; value: number } {
    const all = contenders.map((contender) => ({ contender, value: medians.get(contender)! }));
    return all.reduce((a, b) => (b.value > a.value === largerIsBetter(b.contender) ? b : a));
  }

  /** Keeps figures for the details. */
  keep(contender: string, shape: string, values: number[], phase: Measurement['phase'] = 'run'): void {
    this.measurements.push({ contender, shape, phase, values });
    const shown = values.map((value) => value.toPrecision(4)).join(' ');
    this.#say(`  ${phase === 'probe' ? 'probe' : '     '} ${contender} (${shape}): ${shown}`);
  }
}
