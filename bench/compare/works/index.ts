import type { Work } from './context.js';
import { packed, processes, vocabulary } from './itself.js';
import { lesson, oneThread } from './lesson.js';
import { predictMany, predictOne } from './prediction.js';
import { shapeWorks } from './shapes.js';

export { Context } from './context.js';

/** All comparisons in their order. */
export function works(quick: boolean): Work[] {
  return [
    lesson,
    ...(quick ? [] : [oneThread]),
    predictOne,
    predictMany,
    vocabulary,
    packed,
    processes,
    ...shapeWorks(quick),
  ];
}
