import type { light as lightNamespace } from '../../../index.d.js';
import { ModelFileError } from '../../core/errors.js';

/** What was done to a compressed model. */
export interface CompressionFacts {
  /** Bytes of its file. */
  bytes: number;
  /** How the words' vectors are coded: `int8`, `int4`, `product4` or `product8`; undefined without a network. */
  code: string | undefined;
  /** Words that were kept. */
  words: number;
  /** N-grams of the linear model that were kept; undefined without one. */
  features: number | undefined;
  /** The largest whole number of the linear model's weights; undefined without one. */
  levels: number | undefined;
}

/** A compressed model's file, and what it says was done. */
export interface CompressedFile {
  packed: lightNamespace.PackedModel;
  facts: CompressionFacts;
}

/** Key of the metadata under which a file says what was done to its model. */
export const COMPRESSION_KEY = 'compression';

/**
 * Reads what the file of a compressed model says was done to it.
 *
 * @throws ModelFileError `INVALID_FILE` for what is no such description.
 */
export function compressionFacts(text: string, bytes: number): CompressionFacts {
  let said: Partial<Record<keyof CompressionFacts, unknown>>;
  try {
    said = Object(JSON.parse(text)) as typeof said;
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', 'what was done to the model is not JSON', { cause });
  }
  const { code, words, features, levels } = said;
  const count = (value: unknown) => value === undefined || Number.isSafeInteger(value);
  if (
    (code !== undefined && typeof code !== 'string') ||
    !Number.isSafeInteger(words) ||
    !count(features) ||
    !count(levels)
  )
    throw new ModelFileError('INVALID_FILE', 'what was done to the model is not described');
  return {
    bytes,
    code: code as string | undefined,
    words: words as number,
    features: features as number | undefined,
    levels: levels as number | undefined,
  };
}
