import { checkFlag, checkFunction, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { openCuda } from '../../native/cuda.js';
import { torch, torchIsLoaded } from '../../native/torch.js';
import { isPromiseLike, refusePromise } from '../tensor/scope.js';

/** A device type for `torch.autocast`. */
export type DeviceType = 'cpu' | 'cuda';

/** Options of {@link amp.autocast}. */
export interface AutocastOptions {
  /** The devices whose operators compute in another dtype; other devices are unaffected. */
  deviceType: DeviceType;
  /**
   * The dtype of the computation. Default, and the only one: `'bfloat16'`, whose range is that of float32, so no loss
   * scaling is needed.
   */
  dtype?: 'bfloat16';
  /** `false` disables autocast inside a scope. Default `true`. */
  enabled?: boolean;
  /** Whether converted weights are cached until the outermost scope ends. Default: inherited, initially `true`. */
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
   * Runs `fn` under `torch.autocast` and returns its result. Operators inside compute in the dtype of libtorch's lists:
   * products in bfloat16 with bfloat16 results, losses in float32, all others in the dtype of their inputs. Weights and
   * their gradients are float32. Run the forward pass and the loss inside, `backward` and the optimizer outside.
   *
   * Scopes may be nested; each restores the previous state, even if `fn` throws. On the CPU, float32 recurrent layers
   * use libtorch's operators, as in PyTorch, instead of recurra's kernels: this is slower and meant for testing what a
   * GPU would compute.
   *
   * @throws `INVALID_ARGUMENT` if `fn` is async, since the scope belongs to the thread and would end at the first
   * `await`; `INVALID_DTYPE` for another dtype; `CudaError` if the device is `cuda` and cannot be used.
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

  /** Whether operators on this device type currently compute in mixed precision, as `torch.is_autocast_enabled`. */
  isAutocastEnabled(deviceType: DeviceType): boolean {
    checkDeviceType('deviceType of isAutocastEnabled', deviceType);
    return torchIsLoaded() && torch().isAutocastEnabled(deviceType === 'cuda');
  },
} as const;
