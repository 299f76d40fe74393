import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { OurVersions, TheirVersions, Workers } from './workers.js';

/** Where the figures come from. */
export interface Environment {
  date: string;
  machine: string;
  processor: string;
  cores: number;
  memoryGiB: number;
  /** Mean number of running processes in the minute before. */
  load: number;
  versions: OurVersions & TheirVersions;
}

/** Asks the machine and both sides. */
export async function environment(workers: Workers, threads: number): Promise<Environment> {
  const [ours, theirs] = await Promise.all([
    workers.ours(threads).request<OurVersions>('hello'),
    workers.theirs(threads).request<TheirVersions>('hello'),
  ]);
  return {
    date: new Date().toISOString(),
    machine: `${process.platform} ${release()}, ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0]!,
    versions: { ...ours, ...theirs },
  };
}
