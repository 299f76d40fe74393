import { checkChoice, checkOptions } from '../../core/checks.js';
import { invalidArgument, mismatch } from '../../core/errors.js';
import { type NativeTensor, torch } from '../../native/torch.js';
import { checkTensor, checkTensorDtype, isTensor, nativeOf, wrap } from '../tensor/base.js';
import { shapeText, toInt32Array } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkExactShape, checkIds, checkLikeWeight } from './check.js';
import { resolvePadding } from './padding.js';

/** Reduction of a bag's vectors. */
export type EmbeddingBagMode = 'sum' | 'mean' | 'max';

/** Options of {@link embeddingBag}. */
export interface EmbeddingBagOptions {
  /** `mean` (default), `sum` or `max`. */
  mode?: EmbeddingBagMode;
  /** Ids to ignore. */
  paddingIdx?: number | undefined;
  /** Weight of each id, of the ids' shape; only with `sum`. */
  perSampleWeights?: Tensor | undefined;
}

/**
 * One vector per bag of ids. Either ids of shape `[bags, length]`, or ids of shape `[total]` and `offsets`, the
 * position in them at which each bag begins (the first is 0). The result is `[bags, dim]`; an empty bag gives zeros.
 *
 * @throws `OUT_OF_RANGE` if an id is not a row of the weight, or offsets do not begin at 0, fall, or go beyond the ids.
 */
export function embeddingBag(
  ids: Tensor,
  weight: Tensor,
  offsets?: Tensor | Int32Array | readonly number[] | null,
  options?: EmbeddingBagOptions,
): Tensor {
  const {
    mode = 'mean',
    paddingIdx,
    perSampleWeights,
  } = checkOptions('options of embeddingBag', options, ['mode', 'paddingIdx', 'perSampleWeights']);
  checkChoice('mode of embeddingBag', mode, ['sum', 'mean', 'max']);
  checkTensor('weight of embeddingBag', weight);
  checkTensor('ids of embeddingBag', ids);
  if (weight.ndim !== 2)
    throw mismatch('weight of embeddingBag', 'shape [rows, dim]', `shape ${shapeText(weight.shape)}`, 'INVALID_SHAPE');
  if (ids.device !== weight.device) {
    throw mismatch(
      'ids of embeddingBag',
      `a tensor on ${weight.device}, where the weights are`,
      `one on ${ids.device}`,
      'INVALID_DEVICE',
    );
  }
  checkIds('ids of embeddingBag', ids, weight.shape[0]!, 'rows of the embedding');
  if (perSampleWeights !== undefined) {
    if (mode !== 'sum')
      throw invalidArgument(
        'perSampleWeights of embeddingBag',
        `no weights with mode ${mode} (only sum takes them)`,
        perSampleWeights,
      );
    checkLikeWeight('perSampleWeights of embeddingBag', perSampleWeights, weight);
    checkExactShape('perSampleWeights of embeddingBag', perSampleWeights, ids.shape, '(as the ids)');
  }
  const starts = bagStarts(ids, offsets);
  const made: NativeTensor[] = [];
  const own = (native: NativeTensor): NativeTensor => {
    made.push(native);
    return native;
  };
  try {
    const flat = (tensor: Tensor) => (tensor.ndim === 1 ? nativeOf(tensor) : own(nativeOf(tensor).reshape([-1])));
    const bytes = new Uint8Array(starts.buffer, starts.byteOffset, starts.byteLength);
    let positions = own(own(torch().NativeTensor.fromBytes(bytes, 'int32', [starts.length])).toDtype(ids.dtype));
    if (ids.device !== 'cpu') positions = own(positions.toDevice(ids.device));
    const weights = perSampleWeights === undefined ? null : flat(perSampleWeights);
    return wrap(
      torch().embeddingBag(
        nativeOf(weight),
        flat(ids),
        positions,
        mode,
        weights,
        resolvePadding(paddingIdx, weight.shape[0]!),
      ),
    );
  } finally {
    for (const native of made) native.dispose();
  }
}

// libtorch reads out of bounds for decreasing offsets, so they are checked here, on the CPU.
function bagStarts(ids: Tensor, offsets: Tensor | Int32Array | readonly number[] | null | undefined): Int32Array {
  if (ids.ndim === 2) {
    if (offsets !== undefined && offsets !== null) {
      throw invalidArgument(
        'offsets of embeddingBag',
        'none with ids of 2 dimensions, each row of which is a bag',
        offsets,
      );
    }
    const [bags, length] = ids.shape as [number, number];
    return Int32Array.from({ length: bags }, (_, i) => i * length);
  }
  if (ids.ndim !== 1) {
    throw mismatch(
      'ids of embeddingBag',
      'shape [bags, length], or [total] with offsets',
      `shape ${shapeText(ids.shape)}`,
      'INVALID_SHAPE',
    );
  }
  if (offsets === undefined || offsets === null)
    throw invalidArgument('offsets of embeddingBag', 'offsets with ids of 1 dimension', offsets);
  let starts: Int32Array;
  if (isTensor(offsets)) {
    checkTensorDtype('offsets of embeddingBag', offsets, ['int64', 'int32']);
    if (offsets.ndim !== 1)
      throw mismatch('offsets of embeddingBag', 'shape [bags]', `shape ${shapeText(offsets.shape)}`, 'INVALID_SHAPE');
    starts = Int32Array.from(offsets.toTypedArray() as Int32Array, Number);
  } else {
    starts = toInt32Array('offsets of embeddingBag', offsets);
  }
  const total = ids.numel();
  starts.forEach((start, i) => {
    const least = i === 0 ? 0 : starts[i - 1]!;
    if (start < least || start > (i === 0 ? 0 : total)) {
      throw mismatch(
        `offsets[${i}] of embeddingBag`,
        i === 0 ? '0' : `a position from ${least} to ${total}`,
        `${start}`,
        'OUT_OF_RANGE',
      );
    }
  });
  return starts;
}
