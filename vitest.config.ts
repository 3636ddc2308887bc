import { defineConfig } from 'vitest/config';

// They need no host, but real seconds: sshds of their own, the silence of a dead server, a hook killed at each of its calls.
const slow = ['test/unit/remote/**/*.test.ts', 'test/unit/vzdump-hook/{killed,phases,mutants}.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: slow,
          // Most take milliseconds; the machine may be busy with something else.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'slow',
          include: slow,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/faults/**/*.test.ts'],
          exclude: ['test/lab/vm/**'],
          globalSetup: ['test/lab/prepare.ts'],
          // Hosts take their share of the processor: more files at once would only measure the waiting.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/lab/vm/**/*.test.ts'],
          globalSetup: ['test/lab/prepare.ts'],
          // An emulated processor takes all that there is.
          maxWorkers: 1,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
