/** Settings of the search for sequences. */
export interface DecodeSettings {
  /** Hypotheses kept at each step; 1 is greedy search. */
  beamSize: number;
  /** Sequences wanted for each row, best first; at most `beamSize`. */
  nBest: number;
  /** Hypotheses are ranked by log-probability divided by length (including the end unit) to this power. */
  lengthPenalty: number;
  /** Whether to return the attention weights of each unit. */
  alignments: boolean;
}

/** The sequences found for some rows. */
export interface Decoded {
  /** The units of all sequences, concatenated, without the end units. */
  units: Int32Array;
  /** Where each sequence begins in `units`, followed by their total number. `[rows * nBest + 1]` */
  starts: Uint32Array;
  /** The natural logarithm of each sequence's probability, its end included; minus infinity for one that was not found. */
  scores: Float32Array;
  /** For each unit of each sequence, the attention weights of its row's source units. */
  alignments?: Float32Array;
}

/** An engine with a head of sequences. */
export interface TranslatingEngine {
  /**
   * Writes one or more sequences for each row, off the event loop.
   *
   * @param maxLengths - Maximum units of each row's sequences.
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
