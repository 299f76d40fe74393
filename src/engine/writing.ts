import type { light as lightNamespace } from '../../index.d.js';

/** How the next unit of a text is chosen: the steps of Hugging Face's `generate`, in the order of the fields. */
export interface SamplingSettings {
  /** Divisor of positive scores, and factor of negative ones, of the last 64 units; 1 for no penalty. */
  repetitionPenalty: number;
  /** Divisor of the scores; 0 takes the most probable unit. */
  temperature: number;
  /** Only this many of the most probable units may be drawn; 0 for all. */
  topK: number;
  /** Only the fewest most probable units whose probabilities add up to at least this may be drawn. */
  topP: number;
  /** Units that are never chosen. */
  never: number[];
  /** The unit that ends a text. */
  end: number;
  seed: number;
}

/** Settings of the search for the most probable continuation. */
export interface SearchSettings {
  /** Beams kept at each step. */
  beamSize: number;
  /** A text's log-probability is divided by its length to this power. */
  lengthPenalty: number;
  /** Units that are never chosen. */
  never: number[];
  /** The unit that ends a text. */
  end: number;
}

/** A text whose most probable continuation is searched for. */
export interface SearchedText {
  /**
   * Reads units (only before the first step), then makes up to `count` steps, off the event loop; one call at a time.
   *
   * @returns the best continuation so far, the logarithm of its probability, and whether no further step can find a better one.
   */
  search(units: Int32Array, count: number): Promise<{ units: Int32Array; logProbability: number; ended: boolean }>;
}

/** A text that a network reads and continues. */
export interface WrittenText {
  /** Reads units, then writes up to `count` further ones, off the event loop; one call at a time. */
  write(units: Int32Array, count: number): Promise<{ units: Int32Array; ended: boolean }>;
  /** Frees the text's memory, if nothing else does. */
  close?(): void;
}

/** A text whose units are scored. */
export interface ReadText {
  /**
   * Reads units, off the event loop; one call at a time.
   *
   * @returns for each the logarithm of the probability that its target comes next.
   */
  logProbabilities(units: Int32Array, targets: Int32Array): Promise<Float64Array>;
}

/** An engine with a head of tags of one direction, whose tags are the next units. */
export interface WritingEngine {
  /** Starts an empty text to write. */
  writeText(sampling: SamplingSettings): WrittenText;
  /** Starts an empty text to search the most probable continuation of. */
  searchText(search: SearchSettings): SearchedText;
  /** Starts an empty text to read. */
  readText(): ReadText;
  /**
   * The mean of the last layer's outputs over the units of each text, `[texts, hiddenSize]` row-major; `lengths` has
   * the number of units of each text.
   */
  embed(units: Int32Array, lengths: Int32Array): Promise<Float32Array>;
}

/** {@link WritingEngine} on the kernels. */
export function writingEngine(native: lightNamespace.CpuNetwork, light: typeof lightNamespace): WritingEngine {
  return {
    writeText: (sampling) => {
      const text = new light.WrittenText(sampling);
      return { write: (units, count) => native.writeText(text, units, count) };
    },
    searchText: (search) => {
      const text = new light.SearchedText(search);
      return { search: (units, count) => native.searchText(text, units, count) };
    },
    readText: () => {
      const text = new light.ReadText();
      return { logProbabilities: (units, targets) => native.logProbabilities(text, units, targets) };
    },
    embed: (units, lengths) => native.embedTexts(units, lengths),
  };
}
