/** How sequences are searched for. */
export interface DecodeSettings {
  /** Hypotheses that are kept at each step; 1 takes the most probable unit each time. */
  beamSize: number;
  /** Sequences wanted for each row, best first; at most `beamSize`. */
  nBest: number;
  /** Hypotheses are ordered by their log-probability divided by their length, the end counted, to this power. */
  lengthPenalty: number;
  /** Whether to tell how much each source unit counted at each unit. */
  alignments: boolean;
}

/** What was found for some rows. */
export interface Decoded {
  /** The units of all sequences, one sequence after the other, without the units that end them. */
  units: Int32Array;
  /** Where each sequence begins in `units`, and at last their number. `[rows * nBest + 1]` */
  starts: Uint32Array;
  /** The natural logarithm of each sequence's probability, its end included; minus infinity for one that was not found. */
  scores: Float32Array;
  /** For each unit of each sequence how much each source unit of its row counted. */
  alignments?: Float32Array;
}

/** An engine with a head of sequences. */
export interface TranslatingEngine {
  /**
   * Writes a sequence for each row, or several, away from the event loop.
   *
   * @param maxLengths - Most units of each row's sequences.
   */
  decode(
    tokens: Int32Array,
    lengths: Int32Array,
    maxLengths: Int32Array,
    settings: DecodeSettings,
    signal?: AbortSignal,
  ): Promise<Decoded>;
  /** The natural logarithm of the probability of each target unit, given those before it. */
  logProbabilities(
    tokens: Int32Array,
    lengths: Int32Array,
    targets: Int32Array,
    targetStarts: Uint32Array,
  ): Promise<ArrayLike<number>>;
}
