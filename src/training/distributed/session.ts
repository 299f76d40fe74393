import { openProcessGroup } from '../../native/processGroup.js';
import { resolveRanks } from '../../native/ranks.js';
import { ALONE, type Company, companyOf } from './company.js';
import type { DistributedSettings } from './options.js';
import { type ProcessGroup, Ranks } from './ranks.js';

/** The group of a training from its start to its end. */
export interface Session {
  readonly company: Company;
  /** Address of the group's table for an engine; undefined without other processes. */
  readonly table: bigint | undefined;
  /** Lets every rank work alone, and waits until all are done; see `Ranks.together`. */
  apart<T>(work: () => Promise<T>): Promise<T>;
  /** Refuses ranks that differ in values that must be equal. */
  agree(parts: Readonly<Record<string, unknown>>): Promise<void>;
  /** Leaves the group. */
  close(): Promise<void>;
}

const NO_GROUP: Session = {
  company: ALONE,
  table: undefined,
  apart: (work) => work(),
  agree: async () => {},
  close: async () => {},
};

/** The session of an open group. */
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
 * Joins the other processes of a training, if any; a single process does not load libtorch.
 *
 * @throws DistributedError if the ranks cannot find each other, or have different versions.
 */
export async function openSession(settings: DistributedSettings | undefined): Promise<Session> {
  if (!settings || (resolveRanks()?.worldSize ?? 1) === 1) return NO_GROUP;
  return sessionOf(await openProcessGroup(settings));
}
