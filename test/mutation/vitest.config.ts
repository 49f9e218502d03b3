/** The tests that Stryker runs for each mutant of `src/net` and `src/policy`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/{net,policy}/**/*.test.ts'],
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 60_000,
  },
});
