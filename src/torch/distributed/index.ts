export type { ProcessGroupOptions } from '../../native/processGroup.js';
export type { RankOptions } from '../../native/ranks.js';
export {
  allGather,
  allReduce,
  type BroadcastOptions,
  barrier,
  broadcast,
  type ReduceOp,
  type ReduceOptions,
  reduceScatter,
} from './collectives.js';
export { destroyProcessGroup, getRank, getWorldSize, initProcessGroup, isInitialized } from './group.js';
