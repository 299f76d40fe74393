/** A network and the rows that each rank trains it on in a step. */
export interface Work {
  hidden: number;
  /** Rows of each rank. */
  rows: number;
}

/** What a process that trains is told at its start. */
export interface Spec extends Work {
  /** Rank and number of ranks; 0 of 1 trains alone. */
  rank: number;
  size: number;
  /** Ranks whose rows it stands for: a process that trains alone takes those of all. */
  shares: number;
  threads: number;
  vocabulary: number;
  /** Folder with the data, as `Texts` reads it. */
  folder: string;
}

/** What a process tells of some steps. */
export interface Timed {
  /** Steps that were made: at least as many as were asked for, in whole chunks. */
  steps: number;
  seconds: number;
  /** Seconds that processors worked for it. */
  processor: number;
  /** Bytes that all interfaces of its network namespace have sent. */
  bytes: number;
}
