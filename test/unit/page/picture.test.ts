/** The picture: its graph, what is found in it, how a large one is grouped, and where all is drawn. */
import { expect, test } from 'vitest';
import { found, type Graph, graphOf, linksOf, pathsThrough } from '../../../page/screens/picture/graph.ts';
import { grouped, MOST_NODES } from '../../../page/screens/picture/group.ts';
import { BOX_HEIGHT, layoutOf } from '../../../page/screens/picture/layout.ts';
import { rowsOf } from '../../../page/screens/picture/rows.ts';
import { snapshotOf } from '../../../src/live/snapshot.ts';
import type { LiveState } from '../../../src/live/state.ts';
import { largeSample, liveSample } from '../../support/live-sample.ts';

const NOW = 1_795_923_000_000;

const graph = (state: LiveState, hasDenied = true): Graph =>
  graphOf(state, snapshotOf(state)?.acl ?? new Map(), hasDenied);

const small = graph(liveSample(NOW));
const large = graph(largeSample(NOW));

const labels = ({ nodes }: Graph, column: number): readonly string[] =>
  nodes.filter((node) => node.column === column).map(({ label }) => label);

const edgesOf = ({ edges }: Graph): readonly string[] =>
  edges.map(({ from, to, kind }) => `${kind}: ${from} > ${to}`);

test('workloads lead to their keys, and keys to what their lines name', () => {
  expect(edgesOf(small)).toEqual(
    expect.arrayContaining([
      'allowed: workload shop-api-1 > key payments',
      'allowed: key payments > destination *.paypal.com:tcp/443',
      'allowed: key db > destination production.postgresql',
    ]),
  );
  expect(labels(small, 1)).not.toContain('old');
});

test('what is denied leads from the workload to where it is, also if a key of others allows it', () => {
  expect(edgesOf(small)).toEqual(
    expect.arrayContaining([
      'denied: workload shop-api-1 > destination billing',
      'denied: workload vpn > destination redis',
    ]),
  );
  expect(small.nodes.find(({ label }) => label === 'redis')?.kind).toBe('destination');
  expect(small.nodes.find(({ label }) => label === 'billing')?.kind).toBe('denied');
  expect(graph(liveSample(NOW), false).edges.some(({ kind }) => kind === 'denied')).toBe(false);
});

test('a key that Consul does not have is shown as missing', () => {
  const sample = liveSample(NOW);
  const keys = new Map([...sample.keys].filter(([key]) => key !== 'db'));
  expect(graph({ ...sample, keys }).nodes.find(({ id }) => id === 'key db')?.isMissing).toBe(true);
});

test('the paths through a key are those of its holders to its destinations', () => {
  const { nodes } = pathsThrough('key payments', linksOf(small));
  expect([...nodes].toSorted()).toEqual([
    'destination *.paypal.com:tcp/443',
    'destination api.stripe.com:tcp/443',
    'key payments',
    'workload shop-api-1',
  ]);
});

test('a search finds paths, by the names of workloads, projects, keys and destinations', () => {
  expect(labels(found(small, 'paypal'), 0)).toEqual(['shop-api-1']);
  expect(labels(found(small, 'paypal'), 2)).toEqual(['*.paypal.com:tcp/443']);
  expect(labels(found(small, 'torrent'), 0)).toEqual(['vpn']);
  expect(labels(found(small, 'ci'), 0)).toContain('ci-runner-1');
  expect(found(small, 'no such word').nodes).toEqual([]);
});

test('a small graph is drawn as it is', () => {
  expect(grouped(small)).toMatchObject({ isGrouped: false, nodes: small.nodes });
});

test('a large one is grouped until it can be looked at, and no packet is lost', () => {
  const shown = grouped(large);
  expect(shown.isGrouped).toBe(true);
  expect(shown.nodes.length).toBeLessThanOrEqual(MOST_NODES);
  const packets = ({ edges }: Graph) => edges.reduce((sum, one) => sum + (one.packets ?? 0), 0);
  expect(packets(shown)).toBe(packets(large));
  const workloads = shown.nodes.filter(({ column }) => column === 0);
  expect(workloads.reduce((sum, { size = 1 }) => sum + size, 0)).toBe(1000);
});

test('edges of a grouped graph end at nodes that are there', () => {
  const { nodes, edges } = grouped(large);
  const ids = new Set(nodes.map(({ id }) => id));
  expect(edges.filter(({ from, to }) => !ids.has(from) || !ids.has(to))).toEqual([]);
});

test.each([
  ['small', small],
  ['grouped', grouped(large)],
])('no two boxes of a %s graph overlap, and all are inside', (_name, shown) => {
  const { boxes, height } = layoutOf(shown);
  for (const column of [0, 1, 2]) {
    const ys = boxes.filter(({ node }) => node.column === column).map(({ y }) => y);
    for (const [at, y] of ys.entries()) {
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y + BOX_HEIGHT).toBeLessThanOrEqual(height);
      if (at > 0) expect(y - (ys[at - 1] ?? 0)).toBeGreaterThanOrEqual(BOX_HEIGHT);
    }
  }
});

test('the same host is drawn the same, in whatever order it was read', () => {
  const sample = liveSample(NOW);
  const turned = { ...sample, workloads: new Map([...sample.workloads].toReversed()) };
  const places = (one: Graph) => new Map(layoutOf(one).boxes.map(({ node, y }) => [node.id, y]));
  expect(places(graph(turned))).toEqual(places(small));
});

test('the table has each path, and what is denied', () => {
  const rows = rowsOf(found(small, 'shop-api-1'));
  expect(rows.map(({ key, destination, isDenied }) => [key?.label, destination?.label, isDenied])).toEqual(
    expect.arrayContaining([
      ['payments', 'api.stripe.com:tcp/443', false],
      [undefined, 'billing', true],
    ]),
  );
  const lonely = rowsOf(found(small, 'shop-db-1'));
  expect(lonely.map(({ destination, isDenied }) => [destination, isDenied])).toEqual([[undefined, false]]);
});
