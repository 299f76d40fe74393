import { defineConfig } from 'vitest/config';

// The whole proof of the published packages (`npm run test:packages`): some minutes, and some hundred MB of other Nodes.
export default defineConfig({
  test: {
    include: ['test/packages/**/*.proof.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
