import { checkFlag, checkFunction, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { openCuda } from '../../native/cuda.js';
import { torch, torchIsLoaded } from '../../native/torch.js';
import { isPromiseLike, refusePromise } from '../tensor/scope.js';

/** A kind of device, as `torch.autocast` takes it. */
export type DeviceType = 'cpu' | 'cuda';

/** Options of {@link amp.autocast}. */
export interface AutocastOptions {
  /** The devices whose operators compute in another dtype; those on others do not change. */
  deviceType: DeviceType;
  /** What they compute in. Default, and the only one: `'bfloat16'`, whose range is that of float32, so that no loss need be scaled. */
  dtype?: 'bfloat16';
  /** `false` for a part of a scope that computes in the dtypes it is given. Default `true`. */
  enabled?: boolean;
  /** Whether the copies of weights in the dtype are kept until the outermost scope ends. Default: as outside, and there `true`. */
  cacheEnabled?: boolean;
}

const OPTIONS = ['deviceType', 'dtype', 'enabled', 'cacheEnabled'];

function checkDeviceType(name: string, value: unknown): DeviceType {
  if (value !== 'cpu' && value !== 'cuda') throw invalidArgument(name, "'cpu' or 'cuda'", value, 'INVALID_DEVICE');
  return value;
}

/**
 * Mixed precision, as `torch.amp`: matrix products, linear layers and recurrent layers compute in bfloat16, losses in float32, and
 * weights stay float32.
 */
export const amp = {
  /**
   * Runs `fn` as `torch.autocast` has it, and returns its result. Operators in it compute in the dtype that libtorch's lists name for
   * them: products in bfloat16, whose results are bfloat16 tensors, losses in float32; all others in the dtype of what they are given.
   * Weights are float32 and so are their gradients. Run forward pass and loss in it, and `backward` and the optimizer after it.
   *
   * Scopes may be nested; each is left as it was entered, also when `fn` throws. On the CPU recurrent layers of float32 go through
   * libtorch's operators, as in PyTorch, instead of recurra's kernels: it is for trying out what a GPU will compute, and slower.
   *
   * @throws `INVALID_ARGUMENT` if `fn` is async, for the scope belongs to the thread and would end at the first `await`; `INVALID_DTYPE`
   * for another dtype; `CudaError` if the device is `cuda` and cannot be used.
   *
   * @example
   * ```ts
   * const net = new nn.Linear(4, 2);
   * const labels = tensor([0, 1]);
   * const loss = amp.autocast({ deviceType: 'cpu' }, () => {
   *   const logits = net.forward(randn([2, 4])); // bfloat16
   *   return nn.functional.crossEntropy(logits, labels); // float32
   * });
   * loss.backward(); // the gradients are float32
   * ```
   */
  autocast<T>(options: AutocastOptions, fn: () => T): T {
    if (options === undefined) throw invalidArgument('options of autocast', 'an object of options', options);
    const { deviceType, dtype, enabled = true, cacheEnabled } = checkOptions('options of autocast', options, OPTIONS);
    checkDeviceType('deviceType of autocast', deviceType);
    if (dtype !== undefined && dtype !== 'bfloat16') {
      throw invalidArgument('dtype of autocast', "'bfloat16', the only one there is", dtype, 'INVALID_DTYPE');
    }
    checkFlag('enabled of autocast', enabled);
    if (cacheEnabled !== undefined) checkFlag('cacheEnabled of autocast', cacheEnabled);
    checkFunction('fn of autocast', fn);
    if (deviceType === 'cuda' && enabled) openCuda();
    const binding = torch();
    const before = binding.autocastBegin(deviceType === 'cuda', enabled, cacheEnabled);
    let result: T;
    try {
      result = fn();
    } finally {
      binding.autocastEnd(before);
    }
    if (isPromiseLike(result)) {
      refusePromise(
        'autocast',
        result,
        'what follows its first await would run outside the scope, which belongs to the thread',
      );
    }
    return result;
  },

  /** Whether operators on such devices compute in mixed precision now, as `torch.is_autocast_enabled`. */
  isAutocastEnabled(deviceType: DeviceType): boolean {
    checkDeviceType('deviceType of isAutocastEnabled', deviceType);
    return torchIsLoaded() && torch().isAutocastEnabled(deviceType === 'cuda');
  },
} as const;
