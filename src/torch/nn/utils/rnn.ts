import { checkInteger, checkNumber, checkOptions } from '../../../core/checks.js';
import { invalidArgument, mismatch } from '../../../core/errors.js';
import { type NativeTensor, torch } from '../../../native/torch.js';
import { checkTensor, checkTensorDtype, isTensor, nativeOf, wrap } from '../../tensor/base.js';
import { stack } from '../../tensor/create.js';
import { dtypeText, shapeText, toInt32Array } from '../../tensor/dtype.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { pad } from '../functional.js';
import { PackedSequence, packedOf } from './packedSequence.js';

/** @internal */
export {
  pack_padded_sequence,
  pack_sequence,
  pad_packed_sequence,
  pad_sequence,
  unpack_sequence,
  unpad_sequence,
} from '../pythonFunctions.js';
export { PackedSequence } from './packedSequence.js';

/** Lengths of sequences: on the CPU by type. A tensor must be int64 or int32 on the CPU, of one dimension. */
export type Lengths = Int32Array | readonly number[] | Tensor;

/** Options of {@link packPaddedSequence}. */
export interface PackPaddedOptions {
  /** Whether the input is `[batch, time, ..]` rather than `[time, batch, ..]`. Default `false`. */
  batchFirst?: boolean;
  /** Whether the sequences must come longest first, and are then not sorted. Default `true`. */
  enforceSorted?: boolean;
}

/** Options of {@link padPackedSequence}. */
export interface PadPackedOptions {
  /** Whether the output is `[batch, time, ..]` rather than `[time, batch, ..]`. Default `false`. */
  batchFirst?: boolean;
  /** What fills the steps after a sequence's end. Default 0. */
  paddingValue?: number;
  /** Number of steps of the output, at least that of the longest sequence. Default: as many. */
  totalLength?: number | undefined;
}

/** Options of {@link padSequence}. */
export interface PadSequenceOptions {
  /** Whether the output is `[batch, time, ..]` rather than `[time, batch, ..]`. Default `false`. */
  batchFirst?: boolean;
  /** What fills the missing steps. Default 0. */
  paddingValue?: number;
  /** Whether they are filled after the end (`right`, default) or before the beginning. */
  paddingSide?: 'right' | 'left';
}

/**
 * Lengths as an Int32Array.
 *
 * @internal
 */
export function checkLengths(name: string, lengths: Lengths): Int32Array {
  if (!isTensor(lengths)) return toInt32Array(name, lengths);
  checkTensorDtype(name, lengths, ['int64', 'int32']);
  if (lengths.device !== 'cpu')
    throw mismatch(name, 'lengths on the CPU', `a tensor on ${lengths.device}`, 'INVALID_DEVICE');
  if (lengths.ndim !== 1)
    throw mismatch(name, 'lengths of shape [batch]', `shape ${shapeText(lengths.shape)}`, 'INVALID_SHAPE');
  return Int32Array.from(lengths.toTypedArray() as Int32Array, Number);
}

/**
 * Rows of a tensor in another order, as a handle that the caller disposes.
 *
 * @internal
 */
export function reorder(tensor: NativeTensor, dim: number, order: Int32Array): NativeTensor {
  if (order.every((value, i) => value === i)) return tensor.alias();
  const bytes = new Uint8Array(order.buffer, order.byteOffset, order.byteLength);
  const made = [torch().NativeTensor.fromBytes(bytes, 'int32', [order.length])];
  try {
    made.push(made[0]!.toDtype('int64'));
    if (tensor.device() !== 'cpu') made.push(made[1]!.toDevice(tensor.device()));
    return tensor.indexSelect(dim, made.at(-1)!);
  } finally {
    for (const native of made) native.dispose();
  }
}

/**
 * Packs padded sequences, so that a recurrent layer computes only their real steps.
 *
 * @param input - `[time, batch, ..]`, or `[batch, time, ..]` with `batchFirst`.
 * @param lengths - Length of each sequence, from 1 to `time`; on the CPU.
 * @throws `INVALID_SHAPE` if there are not as many lengths as sequences; `OUT_OF_RANGE` if one is 0 or longer than the
 * input; `INVALID_ARGUMENT` if they are not in descending order and `enforceSorted` is not `false`.
 *
 * @example
 * ```ts
 * const padded = tensor([[1, 2], [3, 0]], { dtype: 'float32' }).unsqueeze(2); // [batch, time, 1]
 * const packed = nn.utils.rnn.packPaddedSequence(padded, [2, 1], { batchFirst: true });
 * packed.data.flatten().toArray(); // [1, 3, 2]
 * ```
 */
export function packPaddedSequence(input: Tensor, lengths: Lengths, options?: PackPaddedOptions): PackedSequence {
  const { batchFirst = false, enforceSorted = true } = checkOptions('options of packPaddedSequence', options, [
    'batchFirst',
    'enforceSorted',
  ]);
  const native = checkTensor('input of packPaddedSequence', input);
  const layout = batchFirst ? '[batch, time, ..]' : '[time, batch, ..]';
  if (input.ndim < 2)
    throw mismatch(
      'input of packPaddedSequence',
      `shape ${layout}`,
      `shape ${shapeText(input.shape)}`,
      'INVALID_SHAPE',
    );
  const given = checkLengths('lengths of packPaddedSequence', lengths);
  const [batch, time] = batchFirst ? [input.shape[0]!, input.shape[1]!] : [input.shape[1]!, input.shape[0]!];
  if (given.length !== batch || batch === 0) {
    throw mismatch(
      'lengths of packPaddedSequence',
      `${batch} lengths, one for each sequence of ${layout} = ${shapeText(input.shape)}`,
      `${given.length}`,
      'INVALID_SHAPE',
    );
  }
  let sorted = true;
  for (let i = 0; i < batch; i++) {
    const length = given[i]!;
    if (length < 1 || length > time) {
      throw mismatch(
        `lengths[${i}] of packPaddedSequence`,
        `a length from 1 to ${time} (${layout} = ${shapeText(input.shape)})`,
        `${length}`,
        'OUT_OF_RANGE',
      );
    }
    if (i > 0 && length > given[i - 1]!) sorted = false;
  }
  if (enforceSorted && !sorted) {
    throw mismatch(
      'lengths of packPaddedSequence',
      'lengths in descending order, or the option enforceSorted: false',
      `[${given}]`,
    );
  }
  // The sort is stable, as torch.sort(descending=True) is on the CPU.
  return packedOf(torch().packPaddedSequence(native, given, batchFirst, !enforceSorted));
}

/**
 * The inverse of {@link packPaddedSequence}: padded sequences, in their original order, and their lengths.
 *
 * @throws `OUT_OF_RANGE` if `totalLength` is less than the longest sequence.
 *
 * @example
 * ```ts
 * const packed = nn.utils.rnn.packSequence([tensor([1, 2]), tensor([3])]);
 * const [padded, lengths] = nn.utils.rnn.padPackedSequence(packed, { batchFirst: true });
 * padded.toArray(); // [[1, 2], [3, 0]]
 * [...lengths]; // [2, 1]
 * ```
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options?: PadPackedOptions,
): [output: Tensor, lengths: Int32Array] {
  const {
    batchFirst = false,
    paddingValue = 0,
    totalLength,
  } = checkOptions('options of padPackedSequence', options, ['batchFirst', 'paddingValue', 'totalLength']);
  if (!(sequence instanceof PackedSequence))
    throw invalidArgument('sequence of padPackedSequence', 'a PackedSequence', sequence);
  checkNumber('paddingValue of padPackedSequence', paddingValue);
  const { data, batchSizes, unsortedIndices } = sequence;
  const longest = batchSizes.length;
  if (totalLength !== undefined && checkInteger('totalLength of padPackedSequence', totalLength) < longest) {
    throw mismatch(
      'totalLength of padPackedSequence',
      `at least ${longest}, the length of the longest sequence`,
      `${totalLength}`,
      'OUT_OF_RANGE',
    );
  }
  const padded = torch().padPackedSequence(
    nativeOf(data),
    batchSizes,
    batchFirst,
    paddingValue,
    totalLength ?? longest,
  );
  if (unsortedIndices === null) return [wrap(padded.output), padded.lengths];
  try {
    return [wrap(reorder(padded.output, batchFirst ? 0 : 1, unsortedIndices)), sequence.lengths()];
  } finally {
    padded.output.dispose();
  }
}

/**
 * Sequences `[length, ..]` of different lengths in one tensor, filled up to the longest.
 *
 * @throws `INVALID_SHAPE` if the sizes after the first differ; `INVALID_DTYPE` if the dtypes do.
 *
 * @example
 * ```ts
 * nn.utils.rnn.padSequence([tensor([1, 2]), tensor([3])], { batchFirst: true }).toArray(); // [[1, 2], [3, 0]]
 * ```
 */
export function padSequence(sequences: readonly Tensor[], options?: PadSequenceOptions): Tensor {
  const {
    batchFirst = false,
    paddingValue = 0,
    paddingSide = 'right',
  } = checkOptions('options of padSequence', options, ['batchFirst', 'paddingValue', 'paddingSide']);
  if (paddingSide !== 'right' && paddingSide !== 'left')
    throw invalidArgument('paddingSide of padSequence', `'right' or 'left'`, paddingSide);
  checkSequences('padSequence', sequences);
  const longest = Math.max(...sequences.map((sequence) => sequence.shape[0]!));
  return tidy(() => {
    const padded = sequences.map((sequence) => {
      const missing = longest - sequence.shape[0]!;
      const around = new Array<number>(2 * sequence.ndim).fill(0);
      around[2 * sequence.ndim - (paddingSide === 'left' ? 2 : 1)] = missing;
      return pad(sequence, around, { value: paddingValue });
    });
    return stack(padded, batchFirst ? 0 : 1);
  });
}

function checkSequences(name: string, sequences: readonly Tensor[]): void {
  if (!Array.isArray(sequences) || sequences.length === 0)
    throw invalidArgument(`sequences of ${name}`, 'an array of at least one Tensor', sequences);
  sequences.forEach((sequence: Tensor, i) => {
    const first = sequences[0] as Tensor;
    checkTensor(`sequences[${i}] of ${name}`, sequence);
    const fits =
      sequence.ndim > 0 &&
      sequence.ndim === first.ndim &&
      sequence.shape.every((size, d) => d === 0 || size === first.shape[d]);
    if (!fits) {
      throw mismatch(
        `sequences[${i}] of ${name}`,
        `shape ${shapeText(['length', ...first.shape.slice(1)])}`,
        `shape ${shapeText(sequence.shape)}`,
        'INVALID_SHAPE',
      );
    }
    if (sequence.dtype !== first.dtype)
      throw mismatch(`sequences[${i}] of ${name}`, dtypeText(first.dtype), dtypeText(sequence.dtype), 'INVALID_DTYPE');
  });
}

/**
 * Sequences `[length, ..]` of different lengths, packed; longest first unless `enforceSorted` is `false`.
 *
 * @example
 * ```ts
 * nn.utils.rnn.packSequence([tensor([1, 2]), tensor([3])]).data.toArray(); // [1, 3, 2]
 * ```
 */
export function packSequence(sequences: readonly Tensor[], options?: { enforceSorted?: boolean }): PackedSequence {
  const { enforceSorted = true } = checkOptions('options of packSequence', options, ['enforceSorted']);
  checkSequences('packSequence', sequences);
  const lengths = sequences.map((sequence) => sequence.shape[0]!);
  return tidy(() => packPaddedSequence(padSequence(sequences), lengths, { enforceSorted }));
}

/**
 * The real steps of padded sequences, one tensor `[length, ..]` for each.
 *
 * @example
 * ```ts
 * const rows = nn.utils.rnn.unpadSequence(tensor([[1, 2], [3, 0]]), [2, 1], { batchFirst: true });
 * rows.map((row) => row.toArray()); // [[1, 2], [3]]
 * ```
 */
export function unpadSequence(padded: Tensor, lengths: Lengths, options?: { batchFirst?: boolean }): Tensor[] {
  const { batchFirst = false } = checkOptions('options of unpadSequence', options, ['batchFirst']);
  checkTensor('padded of unpadSequence', padded);
  const given = checkLengths('lengths of unpadSequence', lengths);
  const [batch, time] = batchFirst ? [padded.shape[0], padded.shape[1]] : [padded.shape[1], padded.shape[0]];
  if (padded.ndim < 2 || given.length !== batch) {
    throw mismatch(
      'lengths of unpadSequence',
      `one length for each of ${batch ?? 0} sequences`,
      `${given.length}`,
      'INVALID_SHAPE',
    );
  }
  given.forEach((length, i) => {
    if (length < 0 || length > time!)
      throw mismatch(`lengths[${i}] of unpadSequence`, `a length from 0 to ${time}`, `${length}`, 'OUT_OF_RANGE');
  });
  return tidy(() => Array.from(given, (length, i) => padded.select(batchFirst ? 0 : 1, i).slice({ end: length })));
}

/**
 * The sequences of a packed sequence, in their original order, one tensor `[length, ..]` for each.
 *
 * @example
 * ```ts
 * const packed = nn.utils.rnn.packSequence([tensor([1, 2]), tensor([3])]);
 * nn.utils.rnn.unpackSequence(packed).map((row) => row.toArray()); // [[1, 2], [3]]
 * ```
 */
export function unpackSequence(sequence: PackedSequence): Tensor[] {
  return tidy(() => {
    const [padded, lengths] = padPackedSequence(sequence, { batchFirst: true });
    return unpadSequence(padded, lengths, { batchFirst: true });
  });
}
