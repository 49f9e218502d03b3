/**
 * The test suites: `unit` needs nothing, `kernel` root and `consul` Consul; `integration`, `escape` and
 * `hostile` need an Engine as well, and `e2e` all of it together. What they need, the lab installs and starts.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const KERNEL = ['test/templates/kernel*.test.ts', 'test/integration/rule-set-kernel.test.ts'];
const CONSUL = ['test/integration/consul-*.test.ts'];

const slow = { testTimeout: 120_000, hookTimeout: 600_000 };
const oneByOne = { ...slow, fileParallelism: false, sequence: { groupOrder: 1 } };
/** Files beside each other have Engines of their own: see test/support/engines.ts. */
const beside = {
  ...slow,
  maxWorkers: 2,
  sequence: { groupOrder: 2 },
  globalSetup: 'test/support/build-program.ts',
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/scenarios/**/*.test.ts', 'test/templates/text*.test.ts'],
          testTimeout: 60_000,
          // By default vitest leaves one processor to itself, which does next to nothing.
          maxWorkers: availableParallelism(),
        },
      },
      { test: { name: 'kernel', include: KERNEL, ...oneByOne } },
      { test: { name: 'consul', include: CONSUL, ...oneByOne } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...KERNEL, ...CONSUL],
          ...beside,
        },
      },
      {
        test: {
          name: 'escape',
          include: ['test/escape/**/*.test.ts'],
          ...oneByOne,
          globalSetup: 'test/support/build-program.ts',
        },
      },
      {
        test: {
          name: 'hostile',
          include: ['test/hostile/**/*.test.ts'],
          ...oneByOne,
          globalSetup: 'test/support/build-program.ts',
          testTimeout: 300_000,
        },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...beside } },
    ],
  },
});
