/** What the benches `roofline` of the crates write. */

/** The processor's rates, of some threads together. */
export interface Peak {
  threads: number;
  /** Two for each multiply-add. */
  flops: number;
  flopsPerCycle: number;
  gigahertz: number;
  /** Of the processor's rate at that clock; none for portable code. */
  share: number | null;
  divisions: number;
}

/** Bytes a second in one level of the memory, of some threads together. */
export interface Level {
  threads: number;
  level: string;
  /** Bytes that fit for one thread; `null` for memory. */
  size: number | null;
  read: number;
  write: number;
  /** Read as rows of 512 and of 64 bytes, in no order. */
  rows512: number;
  rows64: number;
}

/** The least that has to be done, by formula: `crates/kernels/benches/roofline/work.rs`. */
export interface Work {
  flops: number;
  divisions: number;
  reads: number;
  writes: number;
  /** Bytes of rows of some hundred bytes that are read in no order. */
  rows?: number;
  /** Bytes of single lines of the cache that are read in no order. */
  lines?: number;
  /** Bytes that the work comes back to: where they fit is where it reads and writes. */
  set: number;
}

/** A part of a kernel's work, and how long it took. */
export interface Measured {
  kernel: string;
  shape: string;
  part: string;
  threads: number;
  seconds: number;
  work: Work | null;
}

/** All of one instruction set. */
export interface MeasuredSet {
  isa: string;
  peaks: Peak[];
  memory: Level[];
  kernels: Measured[];
}

/** A row of the result. */
export interface Row {
  kernel: string;
  shape: string;
  part: string;
  threads: number;
  seconds: number;
  /** The least seconds that the machine needs; none where no formula says. */
  bound: number | null;
  /** What the bound is that of. */
  limit: string;
  /** Two for each multiply-add that the work needs at least; none where no formula says. */
  flops?: number;
}

/** A file of results. */
export interface Roofline {
  processor: string;
  cores: number;
  date: string;
  /** Whether other programs ran when it began. */
  busy: boolean;
  sets: { isa: string; peaks: Peak[]; memory: Level[]; rows: Row[] }[];
}
