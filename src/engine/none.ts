import { RecurraError } from '../core/errors.js';
import type { EngineConfig, ExplainingEngine } from './engine.js';
import { scoresOfRow } from './network.js';

/** Multiply-adds that represent a token's share of the work outside the network. */
const WORK_PER_TOKEN = 10_000;

/** Tokens of a chunk; nothing is trained. */
const CHUNK_TOKENS = 1;

/** The engine of a model without a network: all scores are 0, and it has no weights. */
export function noEngine({ head }: Pick<EngineConfig, 'head'>): ExplainingEngine {
  const { outputs } = head;
  const zeros = (_: Int32Array, lengths: Int32Array) =>
    new Float32Array(lengths.reduce((sum, length) => sum + scoresOfRow(head, length), 0));
  const raw = ({ length }: Int32Array, lengths: Int32Array) =>
    new Float32Array((head.kind === 'tags' ? length : lengths.length) * outputs);
  return {
    train: () => Promise.reject(new RecurraError('INTERNAL', 'a model without a network cannot be trained')),
    scores: async (tokens, lengths) => zeros(tokens, lengths),
    scoresNow: zeros,
    scoreTextNow: (encoder, text, row) => {
      row.fill(0, 0, outputs);
      return encoder.native.countNow(text, row.subarray(outputs));
    },
    chunkTokens: CHUNK_TOKENS,
    workPerToken: WORK_PER_TOKEN,
    setWordVectors: async () => {},
    state: async () => [],
    loadState: async () => {},
    loadHeld: async ({ file }) => file.close(),
    trainingState: async () => [],
    restore: async () => {},
    rawScores: async (tokens, lengths) => raw(tokens, lengths),
    explain: async (tokens, output) => ({
      output: Math.max(output, 0),
      raw: new Float32Array(outputs),
      scores: new Float32Array(outputs),
      contributions: new Float32Array(tokens.length),
    }),
    distribute: () => {},
    close: () => {},
  };
}
