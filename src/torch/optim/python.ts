import { refusedNamespace } from '../tensor/python.js';

/** @internal */
export const lr_scheduler = refusedNamespace('optim.lr_scheduler', 'optim.lrScheduler');
