import { checkChoice, checkInteger, checkNumber, checkOptions, checkProbability } from '../../core/checks.js';
import { ArgumentError, invalidArgument } from '../../core/errors.js';
import { LRScheduler, type Schedulable, type SchedulableGroup } from './scheduler.js';

/** Options of {@link OneCycleLR}; lists have one value per group. */
export interface OneCycleLROptions {
  /** Highest learning rate. */
  maxLr: number | readonly number[];
  /** Number of steps of the cycle. Alternatively `epochs` and `stepsPerEpoch`. */
  totalSteps?: number;
  /** Number of epochs. */
  epochs?: number;
  /** Steps per epoch. */
  stepsPerEpoch?: number;
  /** Share of the cycle in which the learning rate rises. Default 0.3. */
  pctStart?: number;
  /** Form of the ascent and the descent. Default `cos`. */
  annealStrategy?: 'cos' | 'linear';
  /** Whether the momentum (beta1 of Adam) moves against the learning rate. Default `true`. */
  cycleMomentum?: boolean;
  /** Lowest momentum. Default 0.85. */
  baseMomentum?: number | readonly number[];
  /** Highest momentum. Default 0.95. */
  maxMomentum?: number | readonly number[];
  /** `maxLr` divided by this is the first learning rate. Default 25. */
  divFactor?: number;
  /** The first learning rate divided by this is the last. Default 1e4. */
  finalDivFactor?: number;
  /**
   * Whether the descent to the last learning rate is a separate phase, after the one down to the first. Default
   * `false`.
   */
  threePhase?: boolean;
}

const OPTIONS = [
  'maxLr',
  'totalSteps',
  'epochs',
  'stepsPerEpoch',
  'pctStart',
  'annealStrategy',
  'cycleMomentum',
  'baseMomentum',
  'maxMomentum',
  'divFactor',
  'finalDivFactor',
  'threePhase',
];

interface Phase {
  end: number;
  lr: [from: 'initial' | 'max' | 'min', to: 'initial' | 'max' | 'min'];
  momentum: [from: 'base' | 'max', to: 'base' | 'max'];
}

type MomentumGroup = SchedulableGroup & { betas?: readonly [number, number]; momentum?: number };

/**
 * One rise of the learning rate from `maxLr / divFactor` to `maxLr` and a fall far below (Smith and Topin, 2018),
 * stepped after every batch.
 *
 * @example
 * ```ts
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: 1_000 });
 * optimizer.step();
 * scheduler.step(); // after each batch
 * ```
 */
export class OneCycleLR extends LRScheduler {
  /** Number of steps of the cycle. */
  readonly totalSteps: number;
  readonly #phases: Phase[];
  readonly #anneal: (start: number, end: number, share: number) => number;
  readonly #lrs: { initial: number; max: number; min: number }[];
  readonly #momenta: { base: number; max: number }[] | undefined;

  constructor(optimizer: Schedulable, options: OneCycleLROptions) {
    const given = checkOptions('options of OneCycleLR', options, OPTIONS);
    const {
      pctStart = 0.3,
      annealStrategy = 'cos',
      cycleMomentum = true,
      divFactor = 25,
      finalDivFactor = 1e4,
      threePhase = false,
    } = given;
    const totalSteps = countSteps(given);
    checkProbability('pctStart of OneCycleLR', pctStart);
    checkChoice('annealStrategy of OneCycleLR', annealStrategy, ['cos', 'linear']);
    for (const [name, value] of Object.entries({ divFactor, finalDivFactor })) {
      if (!(checkNumber(`${name} of OneCycleLR`, value) > 0))
        throw invalidArgument(`${name} of OneCycleLR`, 'a number above 0', value, 'OUT_OF_RANGE');
    }
    const groups = (optimizer?.paramGroups ?? []) as MomentumGroup[];
    const maxLrs = perGroup('maxLr', given.maxLr, groups.length);
    const lrs = maxLrs.map((max) => ({ max, initial: max / divFactor, min: max / divFactor / finalDivFactor }));
    groups.forEach((group, i) => {
      group.initialLr = lrs[i]!.initial;
    });
    super('OneCycleLR', optimizer);
    this.totalSteps = totalSteps;
    this.#lrs = lrs;
    this.#anneal = annealStrategy === 'cos' ? annealCos : annealLinear;
    this.#phases = phasesOf(totalSteps, pctStart, threePhase);
    if (cycleMomentum) {
      const base = perGroup('baseMomentum', given.baseMomentum ?? 0.85, groups.length);
      const max = perGroup('maxMomentum', given.maxMomentum ?? 0.95, groups.length);
      if (!groups.every((group) => group.betas !== undefined || group.momentum !== undefined)) {
        throw invalidArgument(
          'cycleMomentum of OneCycleLR',
          'false with an optimizer that has neither momentum nor betas',
          cycleMomentum,
        );
      }
      this.#momenta = groups.map((_, i) => ({ base: base[i]!, max: max[i]! }));
    }
    this.step();
  }

  /** Options that {@link toString} shows. */
  protected override extraRepr(): object {
    return { maxLr: this.#lrs.map(({ max }) => max), totalSteps: this.totalSteps };
  }

  /** Learning rates for {@link lastEpoch}, one per group. */
  protected override computeLrs(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps) {
      throw new ArgumentError(
        'OUT_OF_RANGE',
        `OneCycleLR was stepped ${step} times, but its cycle has ${this.totalSteps} steps`,
      );
    }
    return (this.optimizer.paramGroups as MomentumGroup[]).map((group, i) => {
      let start = 0;
      let at = 0;
      while (at < this.#phases.length - 1 && step > this.#phases[at]!.end) start = this.#phases[at++]!.end;
      const phase = this.#phases[at]!;
      const share = (step - start) / (phase.end - start);
      const momenta = this.#momenta?.[i];
      if (momenta) {
        const momentum = this.#anneal(momenta[phase.momentum[0]], momenta[phase.momentum[1]], share);
        if (group.betas) group.betas = [momentum, group.betas[1]];
        else group.momentum = momentum;
      }
      const lrs = this.#lrs[i]!;
      return this.#anneal(lrs[phase.lr[0]], lrs[phase.lr[1]], share);
    });
  }
}

function countSteps({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  if (totalSteps !== undefined) return checkInteger('totalSteps of OneCycleLR', totalSteps, 1);
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw invalidArgument('totalSteps of OneCycleLR', 'totalSteps, or epochs and stepsPerEpoch', totalSteps);
  }
  return (
    checkInteger('epochs of OneCycleLR', epochs, 1) * checkInteger('stepsPerEpoch of OneCycleLR', stepsPerEpoch, 1)
  );
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): Phase[] {
  const rise: Phase = { end: pctStart * totalSteps - 1, lr: ['initial', 'max'], momentum: ['max', 'base'] };
  if (!threePhase) return [rise, { end: totalSteps - 1, lr: ['max', 'min'], momentum: ['base', 'max'] }];
  return [
    rise,
    { end: 2 * pctStart * totalSteps - 2, lr: ['max', 'initial'], momentum: ['base', 'max'] },
    { end: totalSteps - 1, lr: ['initial', 'min'], momentum: ['max', 'max'] },
  ];
}

function annealCos(start: number, end: number, share: number): number {
  return end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1);
}

function annealLinear(start: number, end: number, share: number): number {
  return (end - start) * share + start;
}

function perGroup(name: string, value: number | readonly number[], groups: number): number[] {
  const list = Array.isArray(value) ? (value as readonly number[]) : new Array<number>(groups).fill(value as number);
  if (list.length !== groups)
    throw invalidArgument(`${name} of OneCycleLR`, `one number, or ${groups}, one for each group`, value);
  list.forEach((one) => {
    checkNumber(`${name} of OneCycleLR`, one);
  });
  return [...list];
}
