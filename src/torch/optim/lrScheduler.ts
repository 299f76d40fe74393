export { OneCycleLR, type OneCycleLROptions } from './oneCycle.js';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './plateau.js';
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  LRScheduler,
  type Schedulable,
  type SchedulableGroup,
  type SchedulerState,
  StepLR,
  type StepLROptions,
} from './scheduler.js';
