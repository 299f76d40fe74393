export { DistributedDataParallel, type DistributedDataParallelOptions } from './distributedDataParallel.js';
