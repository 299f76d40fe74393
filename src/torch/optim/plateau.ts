import { checkChoice, checkInteger, checkNumber, checkOptions, checkRange } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { INSPECT, inspected } from '../../core/inspected.js';
import { refusePythonNames } from '../tensor/python.js';
import { checkOptimizer, type Schedulable, type SchedulerState, schedulerState, schedulerText } from './scheduler.js';

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the measure is to fall (`min`, default) or to rise. */
  mode?: 'min' | 'max';
  /** Factor of each change, less than 1. Default 0.1. */
  factor?: number;
  /** Number of steps without improvement that are let pass. Default 10. */
  patience?: number;
  /** What counts as improvement. Default 1e-4. */
  threshold?: number;
  /** Whether the threshold is a share of the best measure (`rel`, default) or an amount. */
  thresholdMode?: 'rel' | 'abs';
  /** Number of steps after a change in which nothing is counted. Default 0. */
  cooldown?: number;
  /** Least learning rate, one or one per group. Default 0. */
  minLr?: number | readonly number[];
  /** Changes smaller than this are not made. Default 1e-8. */
  eps?: number;
}

/**
 * Multiplies the learning rates by `factor` when a measure, given to each {@link step}, has stopped to improve.
 *
 * @example
 * ```ts
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 2 });
 * scheduler.step(0.31); // the loss on the validation rows, after each epoch
 * ```
 */
export class ReduceLROnPlateau {
  /** Best measure so far. */
  best: number;
  /** Number of steps since the measure last improved. */
  numBadEpochs = 0;
  /** Number of steps taken. */
  lastEpoch = 0;
  #cooldownCounter = 0;
  readonly #optimizer: Schedulable;
  readonly #options: Required<ReduceLROnPlateauOptions>;

  constructor(optimizer: Schedulable, options?: ReduceLROnPlateauOptions) {
    checkOptimizer('ReduceLROnPlateau', optimizer);
    this.#optimizer = optimizer;
    const defaults = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'rel',
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
    } as const;
    const all = { ...defaults, ...checkOptions('options of ReduceLROnPlateau', options, Object.keys(defaults)) };
    checkChoice('mode of ReduceLROnPlateau', all.mode, ['min', 'max']);
    checkChoice('thresholdMode of ReduceLROnPlateau', all.thresholdMode, ['rel', 'abs']);
    checkRange('factor of ReduceLROnPlateau', all.factor, { below: 1 });
    checkInteger('patience of ReduceLROnPlateau', all.patience, 0);
    checkInteger('cooldown of ReduceLROnPlateau', all.cooldown, 0);
    checkNumber('threshold of ReduceLROnPlateau', all.threshold);
    checkNumber('eps of ReduceLROnPlateau', all.eps);
    if (Array.isArray(all.minLr) && all.minLr.length !== optimizer.paramGroups.length) {
      throw invalidArgument(
        'minLr of ReduceLROnPlateau',
        `one number, or ${optimizer.paramGroups.length}, one for each group`,
        all.minLr,
      );
    }
    this.#options = all;
    this.best = all.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** Takes a measure, such as the loss on held-out data, into account, and lowers the learning rates if it is time. */
  step(metric: number): void {
    checkNumber('metric of ReduceLROnPlateau', metric);
    this.lastEpoch++;
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.#cooldownCounter > 0) {
      this.#cooldownCounter--;
      this.numBadEpochs = 0;
    }
    const { patience, cooldown } = this.#options;
    if (this.numBadEpochs > patience) {
      this.#reduce();
      this.#cooldownCounter = cooldown;
      this.numBadEpochs = 0;
    }
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    if (mode === 'min') return metric < (thresholdMode === 'rel' ? this.best * (1 - threshold) : this.best - threshold);
    return metric > (thresholdMode === 'rel' ? this.best * (threshold + 1) : this.best + threshold);
  }

  #reduce(): void {
    const { factor, minLr, eps } = this.#options;
    this.#optimizer.paramGroups.forEach((group, i) => {
      const least = typeof minLr === 'number' ? minLr : (minLr[i] ?? 0);
      const next = Math.max(group.lr * factor, least);
      if (group.lr - next > eps) group.lr = next;
    });
  }

  /** The learning rates that the groups have now. */
  getLastLr(): number[] {
    return this.#optimizer.paramGroups.map(({ lr }) => lr);
  }

  /** What {@link loadStateDict} takes; plain JSON, in which an infinite `best` is `null`. */
  stateDict(): SchedulerState {
    const { lastEpoch, numBadEpochs, best } = this;
    return {
      lastEpoch,
      numBadEpochs,
      best: Number.isFinite(best) ? best : null,
      cooldownCounter: this.#cooldownCounter,
    };
  }

  /** Continues where another scheduler was, also one of PyTorch, whose names are in snake_case. Load the optimizer's state too. */
  loadStateDict(given: SchedulerState): void {
    const state = schedulerState(given);
    const { lastEpoch, numBadEpochs, cooldownCounter } = state as Record<string, number>;
    this.lastEpoch = checkInteger('lastEpoch of the scheduler state', lastEpoch, 0);
    this.numBadEpochs = checkInteger('numBadEpochs of the scheduler state', numBadEpochs, 0);
    this.#cooldownCounter = checkInteger('cooldownCounter of the scheduler state', cooldownCounter, 0);
    if (typeof state.best === 'number') this.best = state.best;
  }

  /** The scheduler with its main options, the steps taken and the learning rates. */
  toString(): string {
    const { mode, factor, patience } = this.#options;
    return schedulerText(this, { mode, factor, patience, best: this.best });
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
  }
}

refusePythonNames(ReduceLROnPlateau.prototype, { variable: 'scheduler', fields: ['lastEpoch', 'numBadEpochs'] });
