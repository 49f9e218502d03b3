/** When what is known was last confirmed. */
import { describe, expect, test } from 'vitest';
import { Confirmations } from '../../../src/daemon/confirmations.ts';
import type { Watched } from '../../../src/inventory/sources.ts';

const watched = (confirmedAt: number | undefined, error?: Error): Watched<unknown> => ({
  value: confirmedAt === undefined ? undefined : [],
  error,
  confirmedAt,
  close: () => {},
});

const following = (datacenter: string | undefined, service: Watched<unknown>) =>
  new Map([['web', { ref: { service: 'web', datacenter }, watched: service }]]);

const LOST = new Error('lost');
const PREVIOUS = { rules: 10, services: new Map([['web', 20]]) };

test('what a previous run knew counts until there is something newer', () => {
  const times = new Confirmations(PREVIOUS);
  times.update(watched(undefined), following(undefined, watched(undefined, LOST)));
  expect([times.rules, times.service('web')]).toEqual([10, 20]);
  times.update(watched(30), following('dc2', watched(40)));
  expect([times.rules, times.service('web')]).toEqual([30, 40]);
});

test('it never goes back, also if a watch begins anew', () => {
  const times = new Confirmations(undefined);
  times.update(watched(30), following(undefined, watched(40)));
  times.update(watched(30), following(undefined, watched(undefined)));
  expect(times.service('web')).toBe(40);
});

test('ingress keys have a time of their own, which never goes back', () => {
  const times = new Confirmations({ ...PREVIOUS, ingress: 15 });
  times.update(watched(30), new Map());
  times.updateIngress(watched(undefined, LOST));
  expect([times.rules, times.ingress]).toEqual([30, 15]);
  times.updateIngress(watched(25));
  times.updateIngress(watched(undefined));
  expect(times.ingress).toBe(25);
});

describe('a service whose query hangs while the rules are confirmed', () => {
  test.each([
    ['counts as confirmed with them', undefined, undefined, 500],
    ['does not in another datacenter', 'dc2', undefined, 20],
    ['does not once it has failed', undefined, LOST, 20],
  ])('%s', (_what, datacenter, error, expected) => {
    const times = new Confirmations(undefined);
    times.update(watched(500), following(datacenter, watched(20, error)));
    expect(times.service('web')).toBe(expected);
  });

  test('stays confirmed at that time when it fails', () => {
    const times = new Confirmations(undefined);
    times.update(watched(500), following(undefined, watched(20)));
    times.update(watched(600, LOST), following(undefined, watched(20, LOST)));
    expect(times.service('web')).toBe(500);
  });
});
