export { basicEnglish } from './basicEnglish.js';
export { characters } from './characters.js';
export { HuggingFaceTokenizer } from './huggingFace.js';
export * from './learned/index.js';
export type { TokenizerName } from './names.js';
export type { Neighbour } from './nearest.js';
export { ngramsIterator } from './ngrams.js';
export { type AlignedSpans, type AlignSpansOptions, alignSpans, type MisalignedSpan } from './tags/align.js';
export { type EntityOptions, getEntities, type TagMode, type TokenSpan } from './tags/entities.js';
export { detectTagScheme, type TagScheme } from './tags/scheme.js';
export { convertTags, spansToTags } from './tags/spans.js';
export type { TextSpan } from './tags/textSpans.js';
export { type TokenInText, tokensInText } from './tags/tokens.js';
export {
  type BatchTokenizer,
  getTokenizer,
  type Tokenizer,
  type TokenizerLike,
} from './tokenizer.js';
export { unicodeWords } from './unicodeWords.js';
export type { VectorFormat } from './vectorFormat.js';
export { type UnknownVector, type VectorCoverage, Vectors, type VectorsOptions } from './vectors.js';
export { Vocab, type VocabJSON, type VocabTokenOptions } from './vocab.js';
export { buildVocabFromIterator, VocabBuilder, type VocabOptions, vocabFromCounter } from './vocabBuilder.js';
