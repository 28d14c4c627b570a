import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.{ts,tsx}',
      'packages/*/src/**/*.fuzz.ts',
      'scripts/*.test.js',
    ],
    testTimeout: 20_000,
  },
});
