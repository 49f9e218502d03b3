/** Watches of the tables that services stand in. */
import { expect, test } from 'vitest';
import { Bells } from '../../../../src/sources/consul/catalog-watch.ts';
import type { Place } from '../../../../src/sources/consul/query-scheduler.ts';

/** A watch of one table, as the test sets it. */
interface Hung {
  readonly name: string;
  readonly onMove: () => void;
  value: bigint | undefined;
  error: Error | undefined;
}

function belfry() {
  const hung: Hung[] = [];
  const closed: string[] = [];
  const rung: Place[] = [];
  const bells = new Bells({
    tables: ['services', 'nodes'],
    watch: (table, place, onMove) => {
      const one: Hung = { name: `${table} ${place}`, onMove, value: undefined, error: undefined };
      hung.push(one);
      return Object.assign(one, { confirmedAt: undefined, close: () => void closed.push(one.name) });
    },
    ring: (place) => rung.push(place),
  });
  return { bells, hung, closed, rung };
}

test('each datacenter has one for each table, for as long as it is crowded', () => {
  const { bells, hung, closed } = belfry();
  bells.follow(new Set([undefined]));
  bells.follow(new Set([undefined, 'dc2']));
  const names = ['services undefined', 'nodes undefined', 'services dc2', 'nodes dc2'];
  expect(hung.map(({ name }) => name)).toEqual(names);
  expect(closed).toEqual([]);
  bells.follow(new Set(['dc2']));
  expect(closed).toEqual(names.slice(0, 2));
  bells.follow(new Set());
  expect(closed).toEqual(names);
});

test('what moves rings for its datacenter', () => {
  const { bells, hung, rung } = belfry();
  bells.follow(new Set([undefined, 'dc2']));
  hung[3]?.onMove();
  hung[0]?.onMove();
  expect(rung).toEqual(['dc2', undefined]);
});

test('are relied on only while all are known and none is lost', () => {
  const { bells, hung } = belfry();
  expect(bells.areHung).toBe(false);
  bells.follow(new Set([undefined]));
  for (const one of hung) {
    expect(bells.areHung).toBe(false);
    one.value = 10n;
  }
  expect(bells.areHung).toBe(true);
  for (const one of hung.slice(1)) one.error = new Error('gone');
  expect(bells.areHung).toBe(false);
});
