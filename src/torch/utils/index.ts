import { DistributedSampler } from './distributedSampler.js';

export { DistributedSampler, type DistributedSamplerOptions } from './distributedSampler.js';

/** As `torch.utils.data`: which rows a rank trains on. */
export const utils = {
  /** As `torch.utils.data`. */
  data: {
    /** See {@link DistributedSampler}. */
    DistributedSampler,
  },
};
