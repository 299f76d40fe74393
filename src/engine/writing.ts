import type { light as lightNamespace } from '../../index.d.js';

/** How the next unit of a text is chosen: the steps of HuggingFace's `generate`, in the order of the fields. */
export interface SamplingSettings {
  /** What a positive score of one of the last 64 units is divided by, and a negative one multiplied; 1 for no penalty. */
  repetitionPenalty: number;
  /** What the scores are divided by; 0 takes the most probable unit. */
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

/** How the most probable continuation of a text is searched for. */
export interface SearchSettings {
  /** Texts that are continued side by side. */
  beamSize: number;
  /** The sum of the logarithms of a text's probabilities is divided by its length to the power of this. */
  lengthPenalty: number;
  /** Units that are never chosen. */
  never: number[];
  /** The unit that ends a text. */
  end: number;
}

/** A text whose most probable continuation is searched for. */
export interface SearchedText {
  /**
   * Reads units as the next ones, which only a search that has not begun can, and then makes up to `count` steps, away from the event loop;
   * one call at a time.
   *
   * @returns the best continuation so far, the logarithm of its probability, and whether no further step can find a better one.
   */
  search(units: Int32Array, count: number): Promise<{ units: Int32Array; logProbability: number; ended: boolean }>;
}

/** A text that a network reads and writes. */
export interface WrittenText {
  /** Reads units as the next ones, and then writes up to `count` further ones, away from the event loop; one call at a time. */
  write(units: Int32Array, count: number): Promise<{ units: Int32Array; ended: boolean }>;
  /** Frees what the text takes, where nothing else does. */
  close?(): void;
}

/** A text whose units a network is asked about. */
export interface ReadText {
  /**
   * Reads units, away from the event loop; one call at a time.
   *
   * @returns for each the logarithm of the probability that its target comes next.
   */
  logProbabilities(units: Int32Array, targets: Int32Array): Promise<Float64Array>;
}

/** An engine with a head of tags of one direction, whose tags are the next units. */
export interface WritingEngine {
  /** Begins a text of nothing that is to be written. */
  writeText(sampling: SamplingSettings): WrittenText;
  /** Begins a text of nothing whose most probable continuation is to be found. */
  searchText(search: SearchSettings): SearchedText;
  /** Begins a text of nothing that is to be read. */
  readText(): ReadText;
  /** The mean of the last layer's outputs over the units of each text, `[texts, hiddenSize]` row-major; `lengths` has their numbers of units. */
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
