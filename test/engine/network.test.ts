import { expect, it } from 'vitest';
import { deviceFor } from '../../src/engine/network.js';

it.each([
  ['auto', 'cuda:0', 'lstm', 'cuda:0'],
  ['auto', 'cuda:0', 'mingru', 'cpu'],
  ['auto', 'cpu', 'mingru', 'cpu'],
  // A GPU that was named is not taken back: the engine refuses the cell.
  ['cuda', 'cuda:0', 'mingru', 'cuda:0'],
  [undefined, 'cpu', 'gru', 'cpu'],
  ['auto', 'cuda:0', 'lstm', 'cpu', 'tags'],
  ['cuda', 'cuda:0', 'lstm', 'cuda:0', 'tags'],
] as const)('device %s, found to be %s, is with the cell %s %s', (asked, found, cell, device, head?: 'tags') => {
  expect(deviceFor(asked, found, cell, head)).toBe(device);
});
