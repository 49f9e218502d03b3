/** What is swept away as a helper that a crash left: what is certainly ours and expired, nothing else. */
import { expect, test } from 'vitest';
import { removeLeftovers } from '../../../src/dataplane/leftovers.ts';
import type { LabelledContainer } from '../../../src/sources/docker/engine.ts';
import { ourLabels, ourName } from '../../../src/sources/docker/labels.ts';

const NOW = 1_800_000_000_000;
const expired = ourLabels('another', NOW - 1_000);
const name = `/${ourName('helper')}`;

/** The ids of those that are removed, where the Engine holds just this one. */
async function swept(names: readonly string[], labels: LabelledContainer['labels']): Promise<string[]> {
  const removed: string[] = [];
  const engine = {
    all: async () => [{ id: 'it', names, labels }],
    remove: async (id: string) => void removed.push(id),
  };
  expect(await removeLeftovers(engine, NOW)).toBe(removed.length);
  return removed;
}

test.each(['helper', 'resolvers'] as const)(
  'one of ours for %s is removed once it has expired',
  async (purpose) => {
    expect(await swept([`/${ourName(purpose)}`], expired)).toEqual(['it']);
    expect(await swept([`/${ourName(purpose)}`], ourLabels('another', NOW + 1_000))).toEqual([]);
  },
);

test.each([
  ['another name', '/web'],
  ['a name that begins alike', '/egresstrator-helper-web'],
  ['a name that ends alike', `/my${name.slice(1)}`],
  ['a name that goes on', `${name}-web`],
])('a container with our labels and %s is somebody else’s', async (_what, theirs) => {
  expect(await swept([theirs], expired)).toEqual([]);
});

test.each(['egresstrator.role', 'egresstrator.instance', 'egresstrator.expires'])(
  'a container with our name and without %s is somebody else’s',
  async (label) => {
    const { [label]: _, ...labels } = expired;
    expect(await swept([name], labels)).toEqual([]);
  },
);

test.each(['', 'never', '-1', '1e3'])('an expiry "%s" is none of ours', async (time) => {
  expect(await swept([name], { ...expired, 'egresstrator.expires': time })).toEqual([]);
});

test('one that resists stays for the next time, and does not hold up the others', async () => {
  const engine = {
    all: async () => ['a', 'b'].map((id) => ({ id, names: [`/${ourName('helper')}`], labels: expired })),
    remove: async (id: string) => {
      if (id === 'a') throw new Error('device busy');
    },
  };
  expect(await removeLeftovers(engine, NOW)).toBe(1);
});
