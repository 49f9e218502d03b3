/**
 * The test suites: `unit` needs nothing, `kernel` root, `consul` Consul and `browser` Chromium; `integration`, `escape`
 * and `hostile` need an Engine as well, and `e2e` all of it together. What they need, the lab installs and starts.
 */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LONGEST_WAIT } from './test/support/longest-wait.ts';

const KERNEL = ['test/templates/kernel*.test.ts', 'test/integration/rule-set-kernel.test.ts'];
const CONSUL = ['test/integration/consul-*.test.ts'];

/** Those that take longest, in the order in which they begin: what begins last should be short. */
const LONGEST = [
  ...['compose', 'custom', 'controller', 'gate', 'image-settings', 'host-passages', 'controller-lifecycle'],
  ...['escape', 'host-sources', 'host-guard', 'faults-controller', 'host-forwards', 'networks-file'],
  ...['dataplane-helper', 'open-ports', 'tampering', 'docker-containers', 'cli', 'faults-engine', 'lab'],
  ...[
    'host-off',
    'diagnostics',
    'migrating',
    'load-delays',
    'errors',
    'faults-containers',
    'ingress',
    'page',
  ],
  // Without an Engine.
  ...['consul-many-services', 'consul-watch', 'consul-reconnect', 'consul-cluster'],
];

/** The longest files first, and then as vitest would have them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONGEST.indexOf(basename(moduleId, '.test.ts'));
  return at === -1 ? LONGEST.length : at;
}

/** By itself, `expect.poll` gives up after a second, which a busy machine may need for one look. */
const polling = { expect: { poll: { timeout: LONGEST_WAIT } } };
/** Engines, Consul and commands are Go: their garbage is collected less often, a fortieth of all processor time. */
const env = { GOGC: '400', GOMEMLIMIT: '500MiB' };
const slow = { ...polling, env, testTimeout: 240_000, hookTimeout: 600_000 };
/**
 * Each file of these has namespaces or a Consul of its own, and no file of another sees them. They wait more than they
 * compute, and Engine files run beside them: with more at once each of them is slow, and all of them no sooner done.
 */
const withoutEngine = { ...slow, maxWorkers: 2, isolate: false, sequence: { groupOrder: 1 } };
/** Files beside each other have Engines of their own (test/support/engines.ts). They wait more than they compute, too. */
const beside = {
  ...slow,
  maxWorkers: 3,
  sequence: { groupOrder: 2 },
  globalSetup: 'test/support/build-program.ts',
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/scenarios/**/*.test.ts', 'test/templates/text*.test.ts'],
          testTimeout: 60_000,
          ...polling,
          // Modules hold no state, and what a worker has loaded serves its next file: a third of the time was loading.
          isolate: false,
          // By default vitest leaves one processor to itself, which does next to nothing.
          maxWorkers: availableParallelism(),
          // In `npm test` after those of the kernel and of Consul, as those of Engines need most processor time at first.
          sequence: { groupOrder: 3 },
        },
      },
      { test: { name: 'kernel', include: KERNEL, ...withoutEngine } },
      { test: { name: 'consul', include: CONSUL, ...withoutEngine } },
      {
        test: {
          ...{ name: 'browser', include: ['test/browser/**/*.test.ts'], ...withoutEngine },
          globalSetup: 'test/support/build-program.ts',
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...KERNEL, ...CONSUL],
          ...beside,
        },
      },
      { test: { name: 'escape', include: ['test/escape/**/*.test.ts'], ...beside } },
      {
        test: { name: 'hostile', include: ['test/hostile/**/*.test.ts'], ...beside, testTimeout: 600_000 },
      },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...beside } },
    ],
  },
});
