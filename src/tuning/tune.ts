import { now } from '../core/clock.js';
import type { RecurraError } from '../core/errors.js';
import { percent } from '../core/terminal.js';
import { TrainingError } from '../training/errors.js';
import type { TrainedModel } from '../training/task.js';
import { type Candidate, type Entry, type Found, lossOf, type SearchParts } from './candidates.js';
import type { Trial, Tuning, TuningEvent, TuningPlace } from './events.js';
import type { Answers } from './score.js';
import { Search } from './search.js';

/** The parts of a search for settings. */
export interface TuneParts<O extends object, M extends TrainedModel, A = Answers>
  extends Omit<SearchParts<O, M, A>, 'onTrial' | 'onFailure'> {
  /** Labels of the rows. */
  labels: number;
  validationRows: number;
  /** What is maximised, for the verdict. */
  metric: string;
  onEvent: ((event: TuningEvent) => void) | undefined;
  /** The baseline that has no network, for the verdict; undefined without one. */
  simple: Candidate<O> | undefined;
  /** Trains the winner on all rows. */
  retrain(winner: Entry<O, A>): Promise<M>;
  /** The options that give the winner's model. */
  options(candidate: Candidate<O>): O;
}

/** What is told of a candidate. */
function trialOf<O extends object>(entry: Entry<O, unknown>): Trial {
  const { trial, name, options, score, difference, error, seconds, losses } = entry;
  const told = { trial, name, options: options as Record<string, unknown>, trainings: losses.size };
  return { ...told, score, difference, error, loss: lossOf(entry), seconds };
}

/** A difference of shares in points. */
function points(share: number): string {
  return `${share < 0 ? '-' : '+'}${Math.abs(100 * share).toFixed(2)}`;
}

/** Which settings won, as a sentence. */
function verdictOf<O extends object>(
  { winner, board }: Found<O, unknown, unknown>,
  { preferred, simple, metric }: Pick<TuneParts<O, TrainedModel, unknown>, 'preferred' | 'simple' | 'metric'>,
): string {
  const better = `by ${points(winner.difference)} points of ${metric} (standard error ${(100 * winner.error).toFixed(2)})`;
  const plain = board.find(({ name }) => name === simple?.name);
  if (winner.name === simple?.name) {
    return winner.difference > 0
      ? `the linear model alone won over ${preferred.name}, ${better}: no network is needed here`
      : 'the linear model alone won: nothing else could be measured';
  }
  const beside = plain && ` The linear model alone has ${percent(plain.score)}, this ${percent(winner.score)}.`;
  if (winner.name === preferred.name)
    return `${preferred.name} won: nothing tried is better by more than chance explains.${beside ?? ''}`;
  return `${winner.name} won over ${preferred.name}, ${better}.${beside ?? ''}`;
}

/**
 * Searches for the best settings and trains them on all rows.
 *
 * @throws {@link TrainingError} `ABORTED` if the signal is aborted; its `model` is one of the best settings so far, trained on a part of the rows.
 */
export async function tune<O extends object, M extends TrainedModel, A = Answers>(
  parts: TuneParts<O, M, A>,
): Promise<Tuning<M, O>> {
  const { seconds: limit, onEvent, allRows, validationRows, labels, rungs, signal } = parts;
  const began = now();
  const place = (): TuningPlace => {
    const elapsed = (now() - began) / 1000;
    return { elapsed, secondsLeft: limit === undefined ? null : Math.max(0, limit - elapsed) };
  };
  onEvent?.({
    type: 'start',
    ...place(),
    rows: allRows - validationRows,
    validationRows,
    labels,
    rungs: rungs.map((rung) => rung.parts.length),
  });
  const search = new Search<O, M, A>({
    ...parts,
    onTrial: (entry, rung, board) =>
      onEvent?.({ type: 'trial', ...place(), ...trialOf(entry), rung: rung + 1, leaderboard: board.map(trialOf) }),
    onFailure: ({ name }: Candidate<O>, error: RecurraError) => onEvent?.({ type: 'failure', ...place(), name, error }),
  });
  const found = await search.run();
  const { winner, board, model: partial } = found;
  const interrupted = (cause: unknown) => {
    const message = `the tuning was aborted; the model of the best settings so far, ${winner.name}, is trained on a part of the rows`;
    return new TrainingError('ABORTED', message, partial, { cause });
  };
  if (found.aborted) throw interrupted(signal?.reason);
  let model: M;
  try {
    onEvent?.({ type: 'retrain', ...place(), ...trialOf(winner), rows: allRows, estimated: search.estimate(winner) });
    model = await parts.retrain(winner);
  } catch (error) {
    if (signal?.aborted && partial) {
      if (error instanceof TrainingError) await error.model?.close();
      throw interrupted(signal.reason);
    }
    await partial?.close();
    throw error;
  }
  await partial?.close();
  const leaderboard = board.map(trialOf);
  return {
    model,
    options: parts.options(winner),
    winner: trialOf(winner),
    leaderboard,
    verdict: verdictOf(found, parts),
    seconds: place().elapsed,
  };
}
