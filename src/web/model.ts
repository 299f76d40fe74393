import { ModelFileError } from '../core/errors.js';
import { byMember, LINEAR_PREFIX } from '../engine/memberNames.js';
import { type Cell, POOLINGS } from '../engine/network.js';
import { type ClassifierFields, classifierFile, hasLinear } from '../models/classifier/description.js';
import type { ModelSettings } from '../models/classifier/network.js';
import { type Described, describeModel, HUGGING_FACE, modelArrays } from '../models/description.js';
import type { Truncation } from '../text/extent.js';
import type { TokenizerName } from '../text/names.js';
import type { Instance } from './instance.js';
import type { FileContents, FileTensor } from './safetensors.js';

/** Numbers of the cells in `recurra_core::Cell`. */
const CELL_NUMBERS: Readonly<Record<Cell, number>> = { rnn: 0, lstm: 2, gru: 3, mingru: 4 };

/** Numbers of the tokenizers in the crate's `Settings`; the last one is read by JavaScript. */
const TOKENIZER_NUMBERS: Readonly<Record<TokenizerName, number>> = {
  basic_english: 0,
  characters: 1,
  unicode_words: 2,
};

const TRUNCATION_NUMBERS: Readonly<Record<Truncation, number>> = { head: 0, tail: 1, both: 2 };

/** Names of element types in the module, by those in the file. */
const DTYPES: Readonly<Record<string, string>> = {
  F32: 'float32',
  F64: 'float64',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U32: 'uint32',
  U8: 'uint8',
  I8: 'int8',
  BOOL: 'bool',
};

/** A model of a file, before the module has it. */
export interface LoadedModel
  extends Pick<ClassifierFields, 'labels' | 'thresholds'>,
    Pick<Described<ModelSettings, ClassifierFields>, 'extent' | 'vocab'> {
  /** Whether the module itself splits the texts. */
  reads: boolean;
  /** Gives all of it to an instance. */
  give(instance: Instance): void;
}

/** @throws ModelFileError for a tokenizer that is not among those with a name. */
function tokenizerIn(path: string, tokenizer: Described<ModelSettings, ClassifierFields>['tokenizer']): TokenizerName {
  if (tokenizer !== null && tokenizer !== HUGGING_FACE) return tokenizer;
  const what = tokenizer === null ? 'a tokenizer function of its own' : 'a HuggingFace tokenizer';
  const expected = `one of ${Object.keys(TOKENIZER_NUMBERS).join(', ')}`;
  throw new ModelFileError(
    'INVALID_FILE',
    `${path} was trained with ${what}; recurra-web reads texts with ${expected}`,
  );
}

const floatBits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/**
 * Checks what a file says of its model.
 *
 * @throws ModelFileError `INVALID_FILE`.
 */
export function modelIn(path: string, { metadata, tensors }: FileContents, checksum: string): LoadedModel {
  const state = modelArrays(metadata, tensors);
  const stored = state.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength }));
  const { settings, extent, tokenizer, vocab, own } = describeModel(path, classifierFile, metadata, checksum, stored);
  const name = tokenizerIn(path, tokenizer);
  const { labels, thresholds, linear: mix, recurrent, members } = own;
  const linear = hasLinear(state, own);
  const numbers = Uint32Array.of(
    CELL_NUMBERS[settings.cell],
    settings.embeddingDim,
    settings.hiddenSize,
    settings.numLayers,
    Number(settings.bidirectional),
    labels.length,
    Number(settings.multiLabel),
    POOLINGS.indexOf(settings.pooling),
    vocab.defaultIndex!,
    vocab.padIndex === undefined ? 0 : vocab.padIndex + 1,
    recurrent ? members : 0,
    Number(linear),
    floatBits(mix?.network ?? 0),
    floatBits(mix?.sharpness ?? 1),
    TOKENIZER_NUMBERS[name],
    extent.ngrams,
    extent.maxLength,
    TRUNCATION_NUMBERS[extent.truncate],
  );
  const isLinear = (array: FileTensor) => array.name.startsWith(LINEAR_PREFIX);
  const ofNetworks = recurrent
    ? byMember(
        state.filter((array) => !isLinear(array)),
        members,
      )
    : [];
  return {
    labels,
    thresholds,
    extent,
    vocab,
    reads: name !== 'unicode_words',
    give(instance) {
      instance.begin(numbers);
      instance.tokens(vocab.itos);
      const give = (member: number, { name: called, dtype, shape, data }: FileTensor) => {
        const type = DTYPES[dtype];
        if (type === undefined)
          throw new ModelFileError('INVALID_FILE', `its array ${called} has the type ${dtype}, which is not read here`);
        instance.array(member, called, type, shape, data);
      };
      for (const [member, arrays] of ofNetworks.entries()) for (const array of arrays) give(member, array);
      if (linear) for (const array of state) if (isLinear(array)) give(0, array);
      instance.finish();
    },
  };
}
