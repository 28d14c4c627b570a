import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['apptest/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: true,
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
