import type { DataSet, DataSets } from '../data.js';
import { type Bench, type Contender, describe, type Ours, type Theirs } from '../measure.js';
import { shapeName } from '../shapes.js';
import type { Order, OurSpec, Row, Shape, TheirSpec } from '../types.js';
import type { Workers } from '../workers.js';

/** One comparison: some rows of the result. */
export interface Work {
  /** What `--only` looks at. */
  name: string;
  run(context: Context): Promise<Row[]>;
}

/** Threads of the machine that all figures are for. */
export const THREADS = 2;

/** What the comparisons share. */
export class Context {
  readonly bench: Bench;
  readonly workers: Workers;
  readonly quick: boolean;
  readonly #sets: DataSets;

  constructor(bench: Bench, workers: Workers, sets: DataSets, quick: boolean) {
    this.bench = bench;
    this.workers = workers;
    this.#sets = sets;
    this.quick = quick;
  }

  /** The made-up texts of a shape. */
  data(shape: Shape): DataSet {
    return this.#sets.get(shape);
  }

  /** recurra's way of doing a work. */
  ours(
    shape: Shape,
    rest: Omit<OurSpec, 'side' | 'shape' | 'folder' | 'order'> & { order?: Order },
    instance = 0,
  ): Ours {
    const data = this.data(shape);
    const { order, ...spec } = rest;
    const file = order && { order: data.order(order, shape.batch) };
    return {
      worker: this.workers.ours(spec.threads, instance),
      threads: spec.threads,
      spec: { side: 'ours', shape, folder: data.folder, ...spec, ...file },
    };
  }

  /** A setting of PyTorch. */
  theirs(
    shape: Shape,
    threads: number,
    rest: Omit<TheirSpec, 'side' | 'shape' | 'folder' | 'order'> & { order: Order | 'sorted'; orderBatch?: number },
  ): Theirs {
    const data = this.data(shape);
    const { order, orderBatch = shape.batch, ...spec } = rest;
    return {
      worker: this.workers.theirs(threads),
      threads,
      spec: { side: 'theirs', shape, folder: data.folder, order: data.order(order, orderBatch), ...spec },
    };
  }

  /** A row of figures of which the larger is the better. */
  row(
    work: string,
    against: string,
    shape: Shape,
    ours: { contender: Contender; value: number },
    theirs: { contender: Contender; value: number },
    unit: 'samples/s' | 'texts/s' | 'us' = 'samples/s',
  ): Row {
    return {
      work,
      against,
      threads: ours.contender.threads,
      ours: ours.value,
      theirs: theirs.value,
      unit,
      ratio: unit === 'us' ? theirs.value / ours.value : ours.value / theirs.value,
      shape: shapeName(shape),
      settings: { ours: describe(ours.contender), theirs: describe(theirs.contender) },
    };
  }
}

/** All combinations of some settings. */
export function combinations<T extends Record<string, readonly unknown[]>>(
  choices: T,
): { [K in keyof T]: T[K][number] }[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(choices)) {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  return all as { [K in keyof T]: T[K][number] }[];
}
