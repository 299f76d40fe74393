import { DistributedSampler } from './distributedSampler.js';

export { DistributedSampler, type DistributedSamplerOptions } from './distributedSampler.js';

/** As `torch.utils.data`: which rows a rank trains on. */
export const utils = { data: { DistributedSampler } };
