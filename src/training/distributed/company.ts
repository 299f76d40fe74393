import type { ExplainingEngine, StateEntry } from '../../engine/engine.js';
import { gatheredState } from './carried.js';
import { sharedEngine } from './engine.js';
import type { Ranks } from './ranks.js';
import { type Share, WHOLE } from './share.js';

/** Why a training ends before its last step, shared by all ranks. */
export type Ending<F> = F | 'stopped' | undefined;

/** The processes that train together, as seen by a trainer. A single process is alone in its company. */
export interface Company {
  /** This process's share of each batch. */
  readonly share: Share;
  /** Why the training ends here, on any rank: all end at the same step. */
  ending<F extends { code: string; message: string }>(own: Ending<F>): Promise<Ending<F>>;
  /** What rank 0 decides by its clock. */
  decided(own: boolean): Promise<boolean>;
  /** The engine for measuring. */
  measuring(engine: ExplainingEngine): ExplainingEngine;
  /** Everything that the training resumes from, including parts that only some ranks have. */
  state(engine: ExplainingEngine, weights: boolean): Promise<StateEntry[]>;
  /** Lets rank 0 write while the others wait; all get the result. */
  written<F extends { code: string; message: string }>(write: () => Promise<F | undefined>): Promise<F | undefined>;
}

/** No other processes. */
export const ALONE: Company = {
  share: WHOLE,
  ending: async (own) => own,
  decided: async (own) => own,
  measuring: (engine) => engine,
  state: (engine, weights) => engine.trainingState(weights),
  written: (write) => write(),
};

/** A failure without its cause, which cannot leave its process. */
function plain<F extends { code: string; message: string }>({ code, message }: F): F {
  return { code, message } as F;
}

/** The company of the ranks of a group. */
export function companyOf(ranks: Ranks): Company {
  return {
    share: ranks,
    async ending<F extends { code: string; message: string }>(own: Ending<F>): Promise<Ending<F>> {
      const told = typeof own === 'object' ? plain(own) : own;
      const all = await ranks.gather<Ending<F> | null>(told);
      // The most serious reason wins; of equal ones, that of the lowest rank.
      const rank = all.findIndex((ending) => typeof ending === 'object' && ending !== null);
      if (rank < 0) return all.includes('stopped') ? 'stopped' : undefined;
      if (rank === ranks.rank) return own;
      const { message, ...failure } = all[rank] as F;
      return { ...failure, message: `${message}, on rank ${rank}` } as F;
    },
    decided: (own) => ranks.ofFirst(own),
    measuring: (engine) => sharedEngine(engine, ranks),
    state: (engine, weights) => gatheredState(engine, weights, ranks),
    async written<F extends { code: string; message: string }>(write: () => Promise<F | undefined>) {
      const failure = await ranks.together(write);
      const first = await ranks.ofFirst(failure ? plain(failure) : null);
      return failure ?? first ?? undefined;
    },
  };
}
