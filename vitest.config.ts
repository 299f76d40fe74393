import { configDefaults, defineConfig } from 'vitest/config';
import { torchHalf } from './test/support/halves.mjs';

/** Tests of signals, shells, pipes, modes and links, which Windows has otherwise or not at all. */
const posix = [
  'test/cli/{outputs,streams,train,vectors}.test.ts',
  'test/core/outputs.test.ts',
  'test/docs/guides.test.ts',
  'test/reliability/**',
  'test/serve/command.test.ts',
  'test/setup/**',
  'test/training/kill.test.ts',
];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // In other folders each test says by itself that it needs libtorch.
    exclude: [
      ...configDefaults.exclude,
      ...(torchHalf ? [] : ['test/torch/**', 'test/lesson/**']),
      ...(process.platform === 'win32' ? posix : []),
    ],
    globalSetup: ['test/support/build.ts'],
    // Each file in a process of its own: the addons and libtorch keep state for the whole process.
    pool: 'forks',
    // Several processes that each use all cores slow one another down many times over.
    env: { OMP_NUM_THREADS: '1' },
    // A loaded machine may take seconds until a page answers.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    typecheck: {
      enabled: true,
      include: ['test/**/*.test-d.ts'],
      tsconfig: './tsconfig.json',
    },
  },
});
