/** The hosts that publish their status: read seldom, and nothing is said where that is not allowed. */
import { expect, test } from 'vitest';
import { Cluster } from '../../../../src/daemon/watch/cluster.ts';

const published = (running: boolean): string =>
  JSON.stringify({ version: '1.0.0', at: 1, running, states: { protected: 1 }, workloads: [], errors: [] });

function clusterOf(read: () => ReadonlyMap<string, string>) {
  const lines: string[] = [];
  const clock = { now: 0, reads: 0 };
  const cluster = new Cluster({
    publisher: {
      read: async () => {
        clock.reads += 1;
        return read();
      },
    },
    now: () => clock.now,
    log: { debug: (_fields, message) => lines.push(message) },
    onRead: () => {},
  });
  const look = async () => {
    cluster.hosts();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    return cluster.hosts();
  };
  return { clock, look, lines };
}

test('hosts are read every ten seconds, and one with the same text stays the same', async () => {
  let texts = new Map([
    ['a', published(true)],
    ['b', 'not JSON'],
  ]);
  const { clock, look } = clusterOf(() => texts);
  const first = await look();
  expect([...first]).toMatchObject([['a', { running: true, states: { protected: 1 } }]]);
  await look();
  expect(clock.reads).toBe(1);
  texts = new Map([...texts, ['c', published(false)]]);
  clock.now += 10_000;
  const later = await look();
  expect([...later.keys()]).toEqual(['a', 'c']);
  expect(later.get('a')).toBe(first.get('a'));
  clock.now += 10_000;
  expect(await look()).toBe(later);
});

test('where the token may not read them, that is tried seldom and disturbs nobody', async () => {
  const { clock, look, lines } = clusterOf(() => {
    throw new Error('Permission denied');
  });
  for (let second = 0; second < 60; second += 1) {
    expect((await look()).size).toBe(0);
    clock.now += 1_000;
  }
  expect([clock.reads, lines.length]).toEqual([1, 1]);
});
