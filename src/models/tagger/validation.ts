import { Turns } from '../../core/turns.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import { TAG_SCORES } from '../../engine/network.js';
import { ExactSum } from '../../measures/counts.js';
import { EntityCounter } from '../../measures/entities.js';
import type { ValidationResult } from '../../training/progress.js';
import type { TagDataset } from './dataset.js';
import { givenTags } from './prediction.js';
import type { TagSet } from './tagSet.js';

/** A tagger's figures on validation rows. */
export interface TagValidation extends ValidationResult {
  /** Sentences measured. */
  rows: number;
  /**
   * Mean negative log-likelihood of the correct tags, in nats per token; with a CRF, that of whole sentences divided by
   * their tokens. It is the training objective, so it is comparable with the loss of an epoch, which is measured with
   * dropout.
   */
  loss: number;
  /**
   * Share of tokens with the correct tag; entity tags are compared in IOBES, unlike in `evaluate`, which uses the rows'
   * scheme.
   */
  accuracy: number;
  /** If tags have a scheme: the share of found spans that are correct, by borders and label. */
  precision?: number;
  /** If tags have a scheme: the share of correct spans that were found. */
  recall?: number;
  /** If tags have a scheme: the harmonic mean of both, which determines the best epoch. */
  f1?: number;
}

/** The engine functions for measuring, which all engines of taggers have. */
type TagEngine = Pick<ExplainingEngine, 'measure'>;

/** Tokens per call of the engine. */
const TOKENS_PER_CALL = 65_536;

/** Some sentences of a data set with the engine's scores. */
interface ScoredPart {
  first: number;
  last: number;
  scores: Float32Array;
  losses: Float32Array;
}

/** Scores of all sentences, in blocks. */
async function* scoredParts(engine: TagEngine, data: TagDataset): AsyncGenerator<ScoredPart> {
  const { tokens, offsets, length } = data;
  const lengths = data.lengths();
  for (let first = 0; first < length; ) {
    let last = first + 1;
    while (last < length && offsets[last + 1]! - offsets[first]! <= TOKENS_PER_CALL) last++;
    const part = tokens.subarray(offsets[first], offsets[last]);
    const tags = data.tags.subarray(offsets[first], offsets[last]);
    const { scores, losses } = await engine.measure!(part, lengths.subarray(first, last), tags, data.forms);
    yield { first, last, scores, losses };
    first = last;
  }
}

/** Measures a network on validation sentences. */
export async function measureTags(engine: TagEngine, data: TagDataset, set: TagSet): Promise<TagValidation> {
  const counter = set.entities ? new EntityCounter(undefined) : undefined;
  const loss = new ExactSum();
  const turns = new Turns();
  let right = 0;
  for await (const { first, last, scores, losses } of scoredParts(engine, data)) {
    for (const one of losses) loss.add(one);
    const begin = data.offsets[first]!;
    turns.restart();
    for (let sentence = first; sentence < last; sentence++) {
      const [from, to] = [data.offsets[sentence]!, data.offsets[sentence + 1]!];
      const start = TAG_SCORES * (from - begin);
      const truth = data.tags.subarray(from, to);
      const given = givenTags(scores, start, to - from);
      for (let token = 0; token < given.length; token++) {
        if (given[token] === truth[token]) right++;
      }
      counter?.add(
        Array.from(truth, (tag) => set.name(tag)),
        Array.from(given, (tag) => set.name(tag)),
      );
      if (turns.due) await turns.next();
    }
  }
  const tokens = data.tokens.length;
  const measured = { rows: data.length, loss: loss.value / tokens, accuracy: right / tokens };
  return counter ? { ...measured, ...counter.finish().microAverage } : measured;
}
