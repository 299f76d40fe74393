/**
 * Writes a state dict of every kind of layer, with inputs and outputs, which state_dict.py then loads into PyTorch's layers:
 *
 *   node --import tsx scripts/lesson/saveState.ts FILE && python scripts/lesson/state_dict.py check FILE
 */
import { manualSeed, noGrad, randint, saveFile } from 'recurra/torch';
import { Layers } from './layers.js';

const path = process.argv[2];
if (path === undefined) {
  console.error('usage: node --import tsx scripts/lesson/saveState.ts FILE');
  process.exitCode = 2;
} else {
  manualSeed(11);
  const layers = new Layers();
  const ids = randint(0, 11, [4, 5]);
  const state = Object.entries(layers.stateDict()).map(([name, value]) => [`state.${name}`, value] as const);
  const outputs = noGrad(() => layers.forward(ids));
  await saveFile({ ...Object.fromEntries(state), 'in.ids': ids, ...outputs }, path);
  console.log(`${path}: ${state.length} parameters`);
}
