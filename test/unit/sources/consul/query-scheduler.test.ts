/** Which services have a blocking query, and what the others do instead. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Watched } from '../../../../src/inventory/sources.ts';
import { type Datacenter, QueryScheduler } from '../../../../src/sources/consul/query-scheduler.ts';
import { FakeQuery, ManualClock, result, settle, timingOf } from './support.ts';

const forever = new AbortController().signal;
const blocking = { kind: 'blocking', index: 10n, wait: 45_000 } as const;
const poll = { ...blocking, wait: 200 };

/** Services in these datacenters, and room for the blocking queries of `limit`. */
function setup(limit: number, datacenters: readonly Datacenter[]) {
  const clock = new ManualClock();
  const catalogs: { readonly datacenter: Datacenter; readonly move: () => void; isOpen: boolean }[] = [];
  const watchCatalog = (datacenter: Datacenter, move: () => void): readonly Watched<unknown>[] => {
    const catalog = { datacenter, move, isOpen: true };
    catalogs.push(catalog);
    const close = () => (catalog.isOpen = false);
    return [{ value: 1, error: undefined, confirmedAt: undefined, close: () => void close() }];
  };
  const scheduler = new QueryScheduler({ limit, timing: timingOf(clock, () => 1), watchCatalog });
  const leave = datacenters.map((datacenter) => scheduler.join(datacenter));
  const queries = datacenters.map(() => new FakeQuery());
  const scheduled = queries.map((query, at) => scheduler.schedule(query, datacenters[at]));
  const read = (at: number, signal = forever) =>
    scheduled[at]?.execute(blocking, signal).catch(() => 'closed');
  const modes = () => queries.map(({ executed }) => executed);
  return { clock, catalogs, scheduler, leave, queries, scheduled, read, modes };
}

/** They have polled once, have heard nothing, and wait. */
async function resting(limit: number, datacenters: readonly Datacenter[]) {
  const all = setup(limit, datacenters);
  for (const at of datacenters.keys()) void all.read(at);
  await sleep(250);
  for (const query of all.queries) await query.reply(result(10, 'ab'));
  for (const at of datacenters.keys()) void all.read(at);
  await settle();
  return all;
}

describe('while there is room', () => {
  test('each service has a blocking query, and the catalog is not watched', async () => {
    const { read, modes, catalogs } = setup(2, [undefined, 'dc2']);
    for (const at of [0, 1]) void read(at);
    await settle();
    expect([modes(), catalogs]).toEqual([[[blocking], [blocking]], []]);
  });

  test('a read that does not block does not stand behind those that do', async () => {
    const { read, scheduled, queries } = setup(1, [undefined]);
    void read(0);
    void scheduled[0]?.execute({ kind: 'consistent' }, forever);
    await settle();
    expect(queries[0]?.executed).toEqual([blocking, { kind: 'consistent' }]);
  });

  test('sixteen of many first reads run at a time, and as many checks of permissions', async () => {
    const { scheduled, queries } = setup(
      100,
      Array.from({ length: 40 }, () => undefined),
    );
    for (const one of scheduled) void one.execute({ kind: 'consistent' }, forever);
    await settle();
    expect(queries.filter(({ isPending }) => isPending)).toHaveLength(16);
    await queries[0]?.reply(result(1, 'a'));
    expect(queries.filter(({ executed }) => executed.length > 0)).toHaveLength(17);
  });
});

describe('with more services than room', () => {
  test('each polls once, and rests until its catalog moves', async () => {
    const { modes, catalogs, clock } = await resting(2, [undefined, undefined, undefined]);
    expect(modes()).toEqual([[poll], [poll], [poll]]);
    expect(catalogs).toHaveLength(1);
    await clock.advance(100_000);
    expect(modes()).toEqual([[poll], [poll], [poll]]);
    catalogs[0]?.move();
    await sleep(250);
    expect(modes()).toEqual([
      [poll, poll],
      [poll, poll],
      [poll, poll],
    ]);
  });

  test('polls once more within some minutes, though nothing moves', async () => {
    const { modes, clock } = await resting(1, [undefined, undefined]);
    await clock.advance(560_000);
    await sleep(250);
    expect(modes()).toEqual([
      [poll, poll],
      [poll, poll],
    ]);
  });

  test('polls once for many moves, and again for one that comes during the poll', async () => {
    const { modes, catalogs, queries, read } = await resting(1, [undefined, undefined]);
    for (let move = 0; move < 9; move += 1) catalogs[0]?.move();
    await sleep(250);
    expect(modes()[1]).toEqual([poll, poll]);
    catalogs[0]?.move();
    await queries[1]?.reply(result(10, 'ab'));
    void read(1);
    await sleep(250);
    expect(modes()[1]).toEqual([poll, poll, poll]);
  });

  test('a move tells only the services of its datacenter', async () => {
    const { modes, catalogs } = await resting(1, [undefined, 'dc2']);
    expect(catalogs.map(({ datacenter }) => datacenter)).toEqual([undefined, 'dc2']);
    catalogs[1]?.move();
    await sleep(250);
    expect(modes()).toEqual([[poll], [poll, poll]]);
  });

  test('a service that leaves ends its wait, and nothing is left behind', async () => {
    const { scheduled, leave, catalogs, clock } = await resting(1, [undefined, undefined, 'dc2']);
    const closing = new AbortController();
    const read = scheduled[2]?.execute(blocking, closing.signal);
    await settle();
    const sleeping = clock.sleeping;
    closing.abort(new Error('closed'));
    await expect(read).rejects.toThrow();
    expect(clock.sleeping).toBe(sleeping - 1);
    leave[2]?.();
    expect(catalogs.map(({ isOpen }) => isOpen)).toEqual([true, false]);
  });

  test('once there is room again, those that rest are woken, and have blocking queries', async () => {
    const { modes, leave, catalogs, queries, read } = await resting(2, [undefined, undefined, undefined]);
    leave[2]?.();
    leave[2]?.();
    expect(catalogs[0]?.isOpen).toBe(false);
    await sleep(250);
    expect(modes()[0]).toEqual([poll, poll]);
    await queries[0]?.reply(result(10, 'ab'));
    void read(0);
    await settle();
    expect(modes()[0]).toEqual([poll, poll, blocking]);
  });

  test('a move of a large catalog is followed by fifty polls a second', async () => {
    const many = Array.from({ length: 200 }, () => undefined);
    const { read, queries } = setup(1, many);
    for (const query of queries) {
      query.execute = async (mode) => {
        query.executed.push(mode);
        return result(10, 'ab');
      };
    }
    const polled = () => queries.filter(({ executed }) => executed.length > 0).length;
    for (const at of many.keys()) void read(at);
    await sleep(1_000);
    expect(polled()).toBeGreaterThan(20);
    expect(polled()).toBeLessThanOrEqual(60);
  });
});
