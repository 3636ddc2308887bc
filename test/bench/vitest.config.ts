import { defineConfig } from 'vitest/config';

// `npm run bench`: never part of `npm test`, because what it measures depends on what else the machine does.
export default defineConfig({
  test: {
    include: ['test/bench/**/*.bench.ts'],
    globalSetup: ['test/lab/prepare.ts'],
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
  },
});
