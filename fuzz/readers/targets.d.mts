/** Runs one input; resolves with what the reader gave, in short, and rejects for a fault of the reader. */
export type Target = (bytes: Uint8Array) => Promise<string>;
export function readerTargets(library: object, fixtures: string): Record<string, Target>;
