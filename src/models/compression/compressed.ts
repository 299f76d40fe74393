import type { light as lightNamespace } from '../../../index.d.js';
import { ModelFileError } from '../../core/errors.js';

/** Details of a compression. */
export interface CompressionFacts {
  /** Bytes of its file. */
  bytes: number;
  /** Code of the word vectors: `int8`, `int4`, `product4` or `product8`; undefined without a network. */
  code: string | undefined;
  /** Words that were kept. */
  words: number;
  /** N-grams of the linear model that were kept; undefined without one. */
  features: number | undefined;
  /** The largest whole number of the linear model's weights; undefined without one. */
  levels: number | undefined;
}

/** A compressed model's file and its details. */
export interface CompressedFile {
  packed: lightNamespace.PackedModel;
  facts: CompressionFacts;
}

/** Metadata key of a file's compression details. */
export const COMPRESSION_KEY = 'compression';

/**
 * Reads a compressed file's details.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for an invalid description.
 */
export function compressionFacts(text: string, bytes: number): CompressionFacts {
  let said: Partial<Record<keyof CompressionFacts, unknown>>;
  try {
    said = Object(JSON.parse(text)) as typeof said;
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', 'its compression record is not JSON', { cause });
  }
  const { code, words, features, levels } = said;
  const count = (value: unknown) => value === undefined || Number.isSafeInteger(value);
  if (
    (code !== undefined && typeof code !== 'string') ||
    !Number.isSafeInteger(words) ||
    !count(features) ||
    !count(levels)
  )
    throw new ModelFileError('INVALID_FILE', 'its compression record is incomplete');
  return {
    bytes,
    code: code as string | undefined,
    words: words as number,
    features: features as number | undefined,
    levels: levels as number | undefined,
  };
}
