import { ModelFileError } from '../../core/errors.js';
import { recurrentWeights } from '../../engine/network.js';
import { SEQUENCE_UNIT_NAMES, type SequenceUnitName } from '../../text/units/names.js';
import { Vocab } from '../../text/vocab.js';
import type { FileKind } from '../description.js';
import type { Longest } from './data.js';
import { type Seq2SeqModelSettings, seq2seqNetwork } from './network.js';

/** Units by name; `'pieces'` are those of a tokenizer in the file. */
type UnitsInFile = SequenceUnitName | 'pieces';

/** Fields of a sequence-to-sequence model's file. The common vocabulary and tokenizer are those of the source. */
export interface Seq2SeqFields {
  /** What the units of both sides are. */
  units: { source: UnitsInFile; target: UnitsInFile };
  targetVocab: Vocab;
  /** The description of the tokenizer of the target. */
  targetTokenizer: string | undefined;
  longest: Longest;
}

const NAMES: readonly unknown[] = [...SEQUENCE_UNIT_NAMES, 'pieces'];

function invalid(what: string): ModelFileError {
  return new ModelFileError('INVALID_FILE', what);
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw invalid(`it has no ${what}`);
  return value as Record<string, unknown>;
}

/** The description of sequence-to-sequence model files. */
export const seq2seqFile: FileKind<Seq2SeqModelSettings, Seq2SeqFields> = {
  kind: 'seq2seq',
  version: 1,
  embedding: 'encoder.embedding.weight',
  settings: seq2seqNetwork,
  parse(fields) {
    const { source, target } = object(fields.units, 'units');
    for (const units of [source, target])
      if (!NAMES.includes(units)) throw invalid(`unknown units ${JSON.stringify(units)}`);
    const targetVocab = Vocab.adopt(fields.targetVocab);
    if (targetVocab.defaultIndex === undefined) throw invalid('its target vocabulary has no token for unknown units');
    const { targetTokenizer } = fields;
    if (targetTokenizer !== undefined && typeof targetTokenizer !== 'string')
      throw invalid('the tokenizer of its target is not a text');
    const lengths = object(fields.longest, 'lengths');
    for (const name of ['source', 'target'])
      if (!Number.isSafeInteger(lengths[name]) || (lengths[name] as number) < 1)
        throw invalid(`the length of its longest ${name} is not a whole number above 0`);
    return {
      units: { source, target } as Seq2SeqFields['units'],
      targetVocab,
      targetTokenizer,
      longest: { source: lengths.source, target: lengths.target } as Longest,
    };
  },
  outputs: ({ targetVocab }) => targetVocab.length,
  headWeights({ targetVocab: { length } }, settings) {
    const { targetEmbeddingDim, decoderHiddenSize, decoderLayers, cell } = settings;
    const decoder = recurrentWeights({
      cell,
      embeddingDim: targetEmbeddingDim + decoderHiddenSize,
      hiddenSize: decoderHiddenSize,
      numLayers: decoderLayers,
      bidirectional: false,
    });
    return decoder + length * (targetEmbeddingDim + decoderHiddenSize);
  },
};
