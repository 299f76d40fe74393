import { openProcessGroup } from '../../native/processGroup.js';
import { resolveRanks } from '../../native/ranks.js';
import { ALONE, type Company, companyOf } from './company.js';
import type { DistributedSettings } from './options.js';
import { type ProcessGroup, Ranks } from './ranks.js';

/** The group of a training from its start to its end. */
export interface Session {
  readonly company: Company;
  /** Where an engine finds the group; undefined without other processes. */
  readonly table: bigint | undefined;
  /** Lets every rank work by itself, and waits until all are done; see `Ranks.together`. */
  apart<T>(work: () => Promise<T>): Promise<T>;
  /** Refuses ranks that differ in what must be the same. */
  agree(parts: Readonly<Record<string, unknown>>): Promise<void>;
  /** Lets go of the group. */
  close(): Promise<void>;
}

const NO_GROUP: Session = {
  company: ALONE,
  table: undefined,
  apart: (work) => work(),
  agree: async () => {},
  close: async () => {},
};

/** The session of a group that is open. */
export function sessionOf(group: ProcessGroup): Session {
  const ranks = new Ranks(group);
  return {
    company: companyOf(ranks),
    table: ranks.table,
    apart: (work) => ranks.together(work),
    agree: (parts) => ranks.agree(parts),
    close: () => ranks.close(),
  };
}

/**
 * Joins the other processes of a training, where there are any; one process alone loads no libtorch.
 *
 * @throws DistributedError where the ranks do not find each other, or have different versions.
 */
export async function openSession(settings: DistributedSettings | undefined): Promise<Session> {
  if (!settings || (resolveRanks()?.worldSize ?? 1) === 1) return NO_GROUP;
  return sessionOf(await openProcessGroup(settings));
}
