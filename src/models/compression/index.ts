export { type Compressible, checkCompression, compressModel } from './compress.js';
export { COMPRESSION_KEY, type CompressedFile, type CompressionFacts, compressionFacts } from './compressed.js';
export { COMPRESS, type CompressOptions, type WordBits } from './options.js';
