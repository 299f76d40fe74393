import { expect, it } from 'vitest';
import { resultOf } from './program.js';

/** Bytes by which resident memory grows with each unit of work. */
interface Slopes {
  predictions: number;
  steps: number;
}

// `npm run bench -- soak` does a day's work and holds it to less. In this little work the allocator and the garbage collector still
// find their levels (150 bytes a unit), so the bounds are what keeping some strings of each prediction, or the arrays of each
// step, goes beyond.
it('memory stays where it is over 60,000 predictions and 10,000 steps', async () => {
  const { predictions, steps } = await resultOf<Slopes>('soak.mjs', [], { NODE_OPTIONS: '--expose-gc' });
  expect(predictions, 'bytes per prediction').toBeLessThan(600);
  expect(steps, 'bytes per step').toBeLessThan(1_500);
});
