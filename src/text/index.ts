export { basicEnglish } from './basicEnglish.js';
export { ngramsIterator } from './ngrams.js';
export { getTokenizer, type Tokenizer, type TokenizerName } from './tokenizer.js';
export type { VectorFormat } from './vectorFormat.js';
export { type UnknownVector, type VectorCoverage, Vectors, type VectorsOptions } from './vectors.js';
export { Vocab, type VocabJSON, type VocabTokenOptions } from './vocab.js';
export { buildVocabFromIterator, VocabBuilder, type VocabOptions, vocabFromCounter } from './vocabBuilder.js';
