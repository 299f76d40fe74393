import { checkInteger, checkNumber, checkObject, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { INSPECT, inspected } from '../../core/inspected.js';
import { camelName, refusePythonNames } from '../tensor/python.js';

/** What a scheduler needs of an optimizer. */
export interface Schedulable {
  /** The groups whose learning rates are set. */
  readonly paramGroups: SchedulableGroup[];
}

/** What a scheduler needs of a group of parameters. */
export interface SchedulableGroup {
  /** Learning rate now. */
  lr: number;
  /** Learning rate at the beginning. */
  initialLr?: number;
}

/** State of a scheduler: plain JSON. */
export type SchedulerState = Record<string, unknown>;

/**
 * A state with the names here: PyTorch's `last_epoch` is `lastEpoch`.
 *
 * @internal
 */
export function schedulerState(state: SchedulerState): SchedulerState {
  checkObject('state of the scheduler', state, 'what stateDict() returns');
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [camelName(name), value]));
}

/**
 * Throws unless `optimizer` has groups of parameters.
 *
 * @internal
 */
export function checkOptimizer(kind: string, optimizer: Schedulable): void {
  if (typeof optimizer !== 'object' || optimizer === null || !Array.isArray(optimizer.paramGroups)) {
    throw invalidArgument(`optimizer of ${kind}`, 'an Optimizer', optimizer);
  }
}

/**
 * Base of the schedulers: sets the learning rates of an optimizer's groups at each {@link step}, which is called after
 * the optimizer's own. Formulas, also where they are recursive, are those of torch.optim.lr_scheduler in PyTorch 2.11.
 */
export abstract class LRScheduler {
  /** Number of steps taken. */
  lastEpoch = -1;
  /** Learning rates of the groups at the beginning. */
  readonly baseLrs: number[];
  /** The optimizer. */
  protected readonly optimizer: Schedulable;

  /** @internal */
  constructor(kind: string, optimizer: Schedulable) {
    checkOptimizer(kind, optimizer);
    this.optimizer = optimizer;
    for (const group of optimizer.paramGroups) group.initialLr ??= group.lr;
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr!);
  }

  /** Learning rates for {@link lastEpoch}, one per group. */
  protected abstract computeLrs(): number[];

  /** Goes one step on and sets the learning rates. */
  step(): void {
    this.lastEpoch++;
    const lrs = this.computeLrs();
    this.optimizer.paramGroups.forEach((group, i) => {
      group.lr = lrs[i] ?? group.lr;
    });
  }

  /** The learning rates that the groups have now. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What {@link loadStateDict} takes; the optimizer's own state has the learning rates. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs] };
  }

  /** Continues where another scheduler was, also one of PyTorch, whose names are in snake_case. Load the optimizer's state too. */
  loadStateDict(state: SchedulerState): void {
    const { lastEpoch, baseLrs } = schedulerState(state) as { lastEpoch: number; baseLrs: number[] };
    checkInteger('lastEpoch of the scheduler state', lastEpoch, 0);
    if (!Array.isArray(baseLrs) || baseLrs.length !== this.baseLrs.length) {
      throw invalidArgument(
        'baseLrs of the scheduler state',
        `${this.baseLrs.length} learning rates`,
        baseLrs,
        'STATE_MISMATCH',
      );
    }
    this.lastEpoch = lastEpoch;
    this.baseLrs.splice(0, baseLrs.length, ...baseLrs);
  }

  /** Options that {@link toString} shows. */
  protected extraRepr(): object {
    return {};
  }

  /** The scheduler with its options, the steps taken and the learning rates: `StepLR(stepSize=5, gamma=0.1, lastEpoch=7, lr=[0.01])`. */
  toString(): string {
    return schedulerText(this, this.extraRepr());
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
  }
}

refusePythonNames(LRScheduler.prototype, { variable: 'scheduler', fields: ['lastEpoch', 'baseLrs'] });

/**
 * A scheduler as text: its class, options, steps taken and learning rates.
 *
 * @internal
 */
export function schedulerText(scheduler: { lastEpoch: number; getLastLr(): number[] }, options: object): string {
  const shown = Object.entries<unknown>({ ...options, lastEpoch: scheduler.lastEpoch, lr: scheduler.getLastLr() });
  const texts = shown.map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value.join(', ')}]` : value}`);
  return `${scheduler.constructor.name}(${texts.join(', ')})`;
}

/** Options of {@link StepLR}. */
export interface StepLROptions {
  /** Number of steps between changes. */
  stepSize: number;
  /** Factor of each change. Default 0.1. */
  gamma?: number;
}

/**
 * Multiplies the learning rates by `gamma` every `stepSize` steps.
 *
 * @example
 * ```ts
 * const optimizer = new optim.SGD(new nn.Linear(2, 2).parameters(), { lr: 0.1 });
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
 * optimizer.step();
 * scheduler.step();
 * scheduler.getLastLr(); // [0.05]
 * ```
 */
export class StepLR extends LRScheduler {
  readonly #stepSize: number;
  readonly #gamma: number;

  constructor(optimizer: Schedulable, options: StepLROptions) {
    super('StepLR', optimizer);
    const { stepSize, gamma = 0.1 } = checkOptions('options of StepLR', options, ['stepSize', 'gamma']);
    this.#stepSize = checkInteger('stepSize of StepLR', stepSize, 1);
    this.#gamma = checkNumber('gamma of StepLR', gamma);
    this.step();
  }

  /** Options that {@link toString} shows. */
  protected override extraRepr(): object {
    return { stepSize: this.#stepSize, gamma: this.#gamma };
  }

  /** Learning rates for {@link lastEpoch}, one per group. */
  protected override computeLrs(): number[] {
    const now = this.optimizer.paramGroups.map(({ lr }) => lr);
    return this.lastEpoch === 0 || this.lastEpoch % this.#stepSize !== 0 ? now : now.map((lr) => lr * this.#gamma);
  }
}

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Number of steps from the first learning rate to the least. */
  tMax: number;
  /** Least learning rate. Default 0. */
  etaMin?: number;
}

/**
 * Lowers the learning rates along half a cosine wave to `etaMin` in `tMax` steps, and back (Loshchilov and Hutter,
 * 2017, without restarts).
 *
 * @example
 * ```ts
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 10 });
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   optimizer.step(); // for each batch
 *   scheduler.step();
 * }
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly #tMax: number;
  readonly #etaMin: number;

  constructor(optimizer: Schedulable, options: CosineAnnealingLROptions) {
    super('CosineAnnealingLR', optimizer);
    const { tMax, etaMin = 0 } = checkOptions('options of CosineAnnealingLR', options, ['tMax', 'etaMin']);
    this.#tMax = checkInteger('tMax of CosineAnnealingLR', tMax, 1);
    this.#etaMin = checkNumber('etaMin of CosineAnnealingLR', etaMin);
    this.step();
  }

  /** Options that {@link toString} shows. */
  protected override extraRepr(): object {
    return { tMax: this.#tMax, etaMin: this.#etaMin };
  }

  /** Learning rates for {@link lastEpoch}, one per group. */
  protected override computeLrs(): number[] {
    const [t, tMax, etaMin] = [this.lastEpoch, this.#tMax, this.#etaMin];
    return this.optimizer.paramGroups.map(({ lr }, i) => {
      if (t === 0) return lr;
      // At the turning point the recursive form would divide by zero.
      if ((t - 1 - tMax) % (2 * tMax) === 0)
        return lr + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
      return (
        ((1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax))) * (lr - etaMin) + etaMin
      );
    });
  }
}
