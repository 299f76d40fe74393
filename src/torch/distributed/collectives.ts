import { checkChoice, checkInteger, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkTensor, wrap } from '../tensor/base.js';
import type { Tensor } from '../tensor/tensor.js';
import { currentGroup } from './group.js';

/** Reduction of the values of all ranks: PyTorch's `ReduceOp`. `avg` is their sum divided by the number of ranks. */
export type ReduceOp = 'sum' | 'avg' | 'product' | 'min' | 'max';

const OPS: readonly ReduceOp[] = ['sum', 'avg', 'product', 'min', 'max'];

/** Options of {@link allReduce} and {@link reduceScatter}. */
export interface ReduceOptions {
  /** The reduction. Default `'sum'`. */
  op?: ReduceOp | undefined;
}

/** Options of {@link broadcast}. */
export interface BroadcastOptions {
  /** The rank whose tensor is sent to all. Default 0. */
  src?: number | undefined;
}

function opOf(where: string, options: ReduceOptions | undefined): ReduceOp {
  const { op = 'sum' } = checkOptions(`options of ${where}`, options, ['op']);
  return checkChoice('op', op, OPS);
}

/**
 * Replaces a tensor by the reduction of all ranks' tensors, bit-identical on all ranks. The tensor must not be used
 * until the promise settles.
 *
 * As with every collective here, all ranks must make the same calls in the same order, with tensors of the same shape
 * and dtype. Otherwise, or if a rank is lost or silent, the promise rejects, and the group becomes unusable.
 *
 * @param tensor - Dense, on the CPU.
 * @returns The same tensor.
 * @throws `DistributedError` with the rank at fault, if known.
 *
 * @example
 * ```ts
 * await distributed.allReduce(loss, { op: 'avg' });
 * ```
 */
export async function allReduce(tensor: Tensor, options?: ReduceOptions): Promise<Tensor> {
  const op = opOf('allReduce', options);
  await currentGroup().allReduce(checkTensor('tensor of allReduce', tensor), op);
  return tensor;
}

/**
 * Replaces a tensor by that of one rank.
 *
 * @param tensor - Dense, on the CPU, of the same shape and dtype on all ranks.
 * @returns The same tensor.
 * @throws As {@link allReduce}; `OUT_OF_RANGE` for a nonexistent rank.
 */
export async function broadcast(tensor: Tensor, options?: BroadcastOptions): Promise<Tensor> {
  const { src = 0 } = checkOptions('options of broadcast', options, ['src']);
  checkInteger('src', src, 0);
  await currentGroup().broadcast(checkTensor('tensor of broadcast', tensor), src);
  return tensor;
}

/**
 * The tensors of all ranks, in the order of the ranks.
 *
 * @param tensor - Dense, on the CPU, of the same shape and dtype on all ranks.
 * @throws As {@link allReduce}.
 */
export async function allGather(tensor: Tensor): Promise<Tensor[]> {
  const all = await currentGroup().allGather(checkTensor('tensor of allGather', tensor));
  return all.map(wrap);
}

/**
 * Reduces lists of tensors and gives each rank its part: tensor `i` of every list is for rank `i`.
 *
 * @param tensors - One for each rank; dense, on the CPU, of the same shape and dtype.
 * @throws As {@link allReduce}; `INVALID_SHAPE` for another number of tensors.
 */
export async function reduceScatter(tensors: readonly Tensor[], options?: ReduceOptions): Promise<Tensor> {
  if (!Array.isArray(tensors)) throw invalidArgument('tensors of reduceScatter', 'an array of tensors', tensors);
  const op = opOf('reduceScatter', options);
  const list = tensors.map((tensor, i) => checkTensor(`tensors[${i}] of reduceScatter`, tensor));
  return wrap(await currentGroup().reduceScatter(list, op));
}

/**
 * Waits until every rank has called this.
 *
 * @throws As {@link allReduce}.
 */
export async function barrier(): Promise<void> {
  await currentGroup().barrier();
}
