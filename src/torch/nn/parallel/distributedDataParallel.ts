import { checkOptions, checkRange } from '../../../core/checks.js';
import { invalidArgument } from '../../../core/errors.js';
import { agree } from '../../../native/processGroup.js';
import { torch } from '../../../native/torch.js';
import { broadcast } from '../../distributed/collectives.js';
import { currentGroup } from '../../distributed/group.js';
import { nativeOf } from '../../tensor/base.js';
import { Embedding } from '../embedding.js';
import { Module } from '../module.js';

/** Options of {@link DistributedDataParallel}. */
export interface DistributedDataParallelOptions {
  /** Megabytes of gradients that travel together. Default 25; the first message has at most 1, so that it leaves early. */
  bucketCapMb?: number | undefined;
}

/**
 * A module that every rank trains on its own rows: each backward pass averages the gradients over the ranks, as PyTorch's class of this
 * name. Its `state dict` has the prefix `module.`.
 *
 * Gradients travel in buckets while the backward pass still computes those before them. Use `backwardAsync`: `backward` blocks the
 * event loop until all ranks have come to the end of theirs. Of an embedding only the rows that a rank has touched travel. Parameters that no rank
 * has used keep no gradient. Every rank must run as many backward passes as the others.
 *
 * @example
 * ```ts
 * await distributed.initProcessGroup();
 * const parallel = await nn.parallel.DistributedDataParallel.create(net);
 * const optimizer = new optim.Adam(parallel.parameters());
 * ```
 */
export class DistributedDataParallel<M extends Module = Module> extends Module {
  /** The module itself. */
  readonly module: M;
  readonly #native: InstanceType<ReturnType<typeof torch>['NativeParallel']>;

  private constructor(module: M, native: InstanceType<ReturnType<typeof torch>['NativeParallel']>) {
    super();
    this.module = module;
    this.#native = native;
  }

  /**
   * Gives all ranks the parameters and buffers of rank 0, and averages gradients from then on.
   *
   * @throws `DistributedError` if the parameters of two ranks differ in names, shapes or dtypes, with both of them, and where a rank is lost.
   */
  static async create<M extends Module>(
    module: M,
    options?: DistributedDataParallelOptions,
  ): Promise<DistributedDataParallel<M>> {
    if (!(module instanceof Module)) throw invalidArgument('module of DistributedDataParallel', 'a Module', module);
    const { bucketCapMb = 25 } = checkOptions('options of DistributedDataParallel', options, ['bucketCapMb']);
    checkRange('bucketCapMb', bucketCapMb, { above: 0, to: 1e6 });
    const group = currentGroup();
    const trained = module.namedParameters().filter(([, parameter]) => parameter.requiresGrad);
    if (trained.length === 0)
      throw invalidArgument('module of DistributedDataParallel', 'a module with parameters to train', module);
    const state = Object.entries(module.stateDict());
    const described = state.map(([name, { shape, dtype }]) => `${name} ${dtype} [${shape.join(', ')}]`);
    await agree(
      { rank: group.rank(), allGatherBytes: (bytes) => group.allGatherBytes(bytes) },
      {
        'the tensors of their modules': described.join('; '),
        'the parameters that they train': trained.map(([name]) => name).join(' '),
        bucketCapMb: `${bucketCapMb}`,
      },
    );
    for (const [, value] of state) await broadcast(value);
    const tables = new Set(module.modules().flatMap((layer) => (layer instanceof Embedding ? [layer.weight] : [])));
    const parameters = trained.map(([, parameter]) => parameter);
    const native = new (torch().NativeParallel)(
      group,
      parameters.map((parameter) => nativeOf(parameter)),
      parameters.map((parameter) => tables.has(parameter) && parameter.ndim === 2),
      bucketCapMb * 2 ** 20,
    );
    return new DistributedDataParallel(module, native);
  }

  /** What the module computes. */
  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.module.forward(...(args as never[])) as ReturnType<M['forward']>;
  }

  /**
   * Runs `fn`, in which backward passes only add up gradients on each rank; the next pass outside averages all of them. A function that
   * returns a promise ends with it.
   */
  noSync<T>(fn: () => T): T {
    const before = this.#native.setSyncs(false);
    const restore = (): void => {
      this.#native.setSyncs(before);
    };
    let result: T;
    try {
      result = fn();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }
}
