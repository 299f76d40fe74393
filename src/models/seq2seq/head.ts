import type { SequenceHead } from '../../engine/network.js';
import { type SequenceUnitName, UNKNOWN_UNIT, type Units } from '../../text/units/index.js';
import type { Seq2SeqModelSettings } from './network.js';

/** The head: a decoder that starts from the unknown unit, so that it is never written, and stops at the end unit. */
export function sequenceHead(settings: Seq2SeqModelSettings, target: Units<SequenceUnitName>): SequenceHead {
  return {
    kind: 'sequence',
    outputs: target.vocab.length,
    embeddingDim: settings.targetEmbeddingDim,
    hiddenSize: settings.decoderHiddenSize,
    numLayers: settings.decoderLayers,
    attention: settings.attention,
    start: target.vocab.get(UNKNOWN_UNIT),
    end: target.end,
  };
}
