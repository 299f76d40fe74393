import { ModelFileError } from '../core/errors.js';
import type { NetworkSettings } from '../engine/network.js';
import {
  type Described,
  describeModel,
  type FileKind,
  modelArrays,
  type ParsedDescription,
} from '../models/description.js';
import type { FileContents, FileTensor } from './safetensors.js';

/** A model file that was read, but not yet understood. */
export interface OpenedFile {
  /** What messages begin with. */
  path: string;
  contents: FileContents;
  /** As `checksumOf` gives it. */
  checksum: string;
  description: ParsedDescription;
}

/**
 * Checks what a file says of its model; gives that and the arrays of the model.
 *
 * @throws {@link ModelFileError} `INVALID_FILE`.
 */
export function describeOpened<N extends NetworkSettings, D extends object>(
  { path, contents: { metadata, tensors }, checksum, description }: OpenedFile,
  kind: FileKind<N, D>,
): Described<N, D> & { arrays: FileTensor[] } {
  if (metadata.compression !== undefined)
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: a model that "recurra compress" made, which recurra-web cannot read; save the model without compressing it`,
    );
  const arrays = modelArrays(metadata, tensors);
  const stored = arrays.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength }));
  return { ...describeModel(path, kind, metadata, checksum, stored, null, description), arrays };
}
