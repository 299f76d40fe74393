import { refusedFunctions } from './python.js';

/** @internal */
export const [enable_grad, is_grad_enabled, manual_seed, no_grad, ones_like, rand_like, randn_like, zeros_like] =
  refusedFunctions('torch.', [
    'enableGrad',
    'isGradEnabled',
    'manualSeed',
    'noGrad',
    'onesLike',
    'randLike',
    'randnLike',
    'zerosLike',
  ]);
