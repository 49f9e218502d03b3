import { describe, expect, it } from 'vitest';
import type { GrantElement, GrantLimits, WantedGrant } from '../../../../src/features/names/grant.ts';
import { type Confirmed, type Exceeded, GrantTable } from '../../../../src/features/names/grant-table.ts';
import { lifetimeOf } from '../../../../src/features/names/lifetime.ts';
import { address, formatElement } from './names.ts';

const want = (to: string, ttl = 60, portClass = 'tcp/443'): WantedGrant => {
  const { grant, enough } = lifetimeOf(ttl, 300);
  return { portClass, address: address(to), grant, timeout: grant, enough };
};
const many = (count: number, from = 0): readonly WantedGrant[] =>
  Array.from({ length: count }, (_, index) => want(`198.18.${(from + index) >> 8}.${(from + index) & 255}`));

const reserve = (table: GrantTable, name: string, wanted: readonly WantedGrant[], now: number) => {
  const reserved = table.reserve(name, wanted, now);
  if ('exceeded' in reserved) throw new Error(reserved.exceeded);
  return reserved;
};
/** What is sent, in text; it is confirmed at once. */
const grant = (
  table: GrantTable,
  name: string,
  wanted: readonly WantedGrant[],
  now: number,
): readonly string[] => {
  const { send, confirm } = reserve(table, name, wanted, now);
  expect(confirm(now)).toEqual({ isGranted: true, orphans: [] });
  return send.map((one) => `${formatElement(one)} ${one.grant}`);
};
const exceeded = (reserved: object): Exceeded['exceeded'] | undefined =>
  'exceeded' in reserved && (reserved.exceeded === 'perName' || reserved.exceeded === 'perNamespace')
    ? reserved.exceeded
    : undefined;
const allExcept =
  (name: string) =>
  (held: string): boolean =>
    held !== name;
const texts = (elements: readonly GrantElement[]): readonly string[] => elements.map(formatElement);

describe('a grant', () => {
  it('is sent once, and again when less than half of the grace is left', () => {
    const table = new GrantTable();
    expect(grant(table, 'a', [want('192.0.2.1')], 0)).toEqual(['192.0.2.1 tcp/443 360']);
    expect(grant(table, 'a', [want('192.0.2.1')], 1_000)).toEqual([]);
    expect(grant(table, 'a', [want('192.0.2.1')], 150_000)).toEqual([]);
    expect(grant(table, 'a', [want('192.0.2.1')], 150_001)).toEqual(['192.0.2.1 tcp/443 360']);
    expect(grant(table, 'a', [want('192.0.2.1', 3_600)], 150_002)).toEqual(['192.0.2.1 tcp/443 3900']);
  });

  it('is sent once for an answer that has it twice, for the longer time', () => {
    const wanted = [want('192.0.2.1', 5), want('192.0.2.1', 60), want('192.0.2.1', 60, 'udp/53')];
    expect(grant(new GrantTable(), 'a', wanted, 0)).toEqual([
      '192.0.2.1 tcp/443 360',
      '192.0.2.1 udp/53 360',
    ]);
  });

  it('counts only when it is confirmed, and until the kernel drops it', () => {
    const table = new GrantTable();
    const { confirm } = reserve(table, 'a', [want('192.0.2.1')], 0);
    expect(table.isGranted(want('192.0.2.1'), 1)).toBe(false);
    confirm(1);
    expect(table.isGranted(want('192.0.2.1'), 1)).toBe(true);
    expect(table.isGranted(want('192.0.2.1'), 359_999)).toBe(true);
    expect(table.isGranted(want('192.0.2.1'), 360_000)).toBe(false);
    expect(table.isGranted(want('192.0.2.1', 60, 'udp/1'), 1)).toBe(false);
  });

  it('that is not confirmed is sent again by the next answer', () => {
    const table = new GrantTable();
    reserve(table, 'a', [want('192.0.2.1')], 0);
    expect(grant(table, 'a', [want('192.0.2.1')], 1)).toEqual(['192.0.2.1 tcp/443 360']);
  });

  it('that is confirmed too late is none', () => {
    const { confirm } = reserve(new GrantTable(), 'a', [want('192.0.2.1', 0)], 0);
    expect(confirm(300_000)).toEqual({ isGranted: false, orphans: [] });
  });

  it('after its element has expired is sent again', () => {
    const table = new GrantTable();
    grant(table, 'a', [want('192.0.2.1')], 0);
    expect(grant(table, 'a', [want('192.0.2.1')], 400_000)).toEqual(['192.0.2.1 tcp/443 360']);
    expect(table.held(400_000)).toEqual([
      {
        name: 'a',
        portClass: 'tcp/443',
        address: address('192.0.2.1'),
        needed: 760_000,
        until: 760_000,
        atMost: 760_000,
      },
    ]);
  });
});

describe('a name that goes', () => {
  it('leaves what others hold', () => {
    const table = new GrantTable();
    grant(table, 'a', [want('192.0.2.1'), want('192.0.2.2')], 0);
    grant(table, 'b', [want('192.0.2.2'), want('192.0.2.2', 60, 'udp/53')], 0);
    expect(texts(table.retain(allExcept('a')))).toEqual(['192.0.2.1 tcp/443']);
    expect(table.size).toBe(1);
    expect(texts(table.retain(allExcept('b')))).toEqual(['192.0.2.2 tcp/443', '192.0.2.2 udp/53']);
    expect(table.size).toBe(0);
  });

  it('does not hold for longer than it needs, although others go on', () => {
    const table = new GrantTable();
    grant(table, 'a', [want('192.0.2.1')], 0);
    grant(table, 'b', [want('192.0.2.1')], 300_000);
    table.expire(400_000);
    expect(table.held(400_000).map(({ name }) => name)).toEqual(['b']);
  });

  it('is taken out of the kernel even if the grant was never confirmed', () => {
    const table = new GrantTable();
    reserve(table, 'a', [want('192.0.2.1')], 0);
    expect(texts(table.retain(allExcept('a')))).toEqual(['192.0.2.1 tcp/443']);
  });

  it('does not leave its longer time to another name of the address', () => {
    const table = new GrantTable();
    grant(table, 'a', [want('192.0.2.1', 3_600)], 0);
    grant(table, 'b', [want('192.0.2.1')], 0);
    expect(table.retain(allExcept('a'))).toEqual([]);
    expect(table.expire(359_000)).toEqual([]);
    expect(texts(table.expire(360_000))).toEqual(['192.0.2.1 tcp/443']);
    expect(table.size).toBe(0);
  });

  it('while it is being granted gets no answer, and its element is taken back', () => {
    const table = new GrantTable();
    const { confirm } = reserve(table, 'a', [want('192.0.2.1')], 0);
    table.retain(allExcept('a'));
    const confirmed: Confirmed = confirm(1);
    expect(confirmed.isGranted).toBe(false);
    expect(texts(confirmed.orphans)).toEqual(['192.0.2.1 tcp/443']);
  });

  it('while it is being granted in vain leaves nothing in the kernel', () => {
    const table = new GrantTable();
    const { cancel } = reserve(table, 'a', [want('192.0.2.1')], 0);
    expect(cancel(1)).toEqual([]);
    table.retain(allExcept('a'));
    expect(texts(cancel(1))).toEqual(['192.0.2.1 tcp/443']);
  });

  it('that ended before it was confirmed says nothing of one that is sent again', () => {
    const table = new GrantTable();
    const first = reserve(table, 'a', [want('192.0.2.1', 0)], 0);
    table.expire(400_000);
    const second = reserve(table, 'a', [want('192.0.2.1', 0)], 400_000);
    first.confirm(400_000);
    expect(table.isGranted({ portClass: 'tcp/443', address: address('192.0.2.1') }, 400_000)).toBe(false);
    second.confirm(400_000);
    expect(table.isGranted({ portClass: 'tcp/443', address: address('192.0.2.1') }, 400_000)).toBe(true);
  });

  it('is taken out of the kernel as long as that may have what was sent late', () => {
    const table = new GrantTable();
    const { confirm } = reserve(table, 'a', [want('192.0.2.1')], 0);
    confirm(300_000);
    table.expire(500_000);
    expect(texts(table.retain(() => false))).toEqual(['192.0.2.1 tcp/443']);
  });

  it('and comes back meanwhile gets no answer of before, and nothing is taken from it', () => {
    const table = new GrantTable();
    const { confirm } = reserve(table, 'a', [want('192.0.2.1')], 0);
    table.retain(allExcept('a'));
    grant(table, 'a', [want('192.0.2.1')], 1);
    expect(confirm(2)).toEqual({ isGranted: false, orphans: [] });
    expect(table.isGranted(want('192.0.2.1'), 3)).toBe(true);
  });
});

describe('limits', () => {
  const limits: GrantLimits = { perName: 10, perNamespace: 25 };

  it('of a name and of a namespace let nothing more in, and drop nothing', () => {
    const table = new GrantTable(limits);
    grant(table, 'a', many(10), 0);
    expect(grant(table, 'a', many(10), 1)).toEqual([]);
    expect(exceeded(table.reserve('a', many(1, 10), 1))).toBe('perName');
    expect(exceeded(table.reserve('b', many(11), 1))).toBe('perName');
    grant(table, 'b', many(10, 10), 0);
    grant(table, 'c', many(5, 20), 0);
    expect(exceeded(table.reserve('c', many(1, 25), 1))).toBe('perNamespace');
    expect(grant(table, 'c', many(2), 1)).toEqual([]);
    expect(table.size).toBe(25);
    expect(many(25).every((one) => table.isGranted(one, 1))).toBe(true);
  });

  it('count an address once, in however many sets it is', () => {
    const table = new GrantTable(limits);
    const twice = many(10).flatMap((one) => [one, { ...one, portClass: 'udp/443' }]);
    expect(grant(table, 'a', twice, 0)).toHaveLength(20);
    expect(table.size).toBe(10);
  });

  it('have room again when grants have expired', () => {
    const table = new GrantTable(limits);
    for (const [index, name] of ['a', 'b'].entries()) grant(table, name, many(10, 10 * index), 0);
    grant(table, 'c', many(5, 20), 0);
    expect(exceeded(table.reserve('d', many(1, 30), 359_000))).toBe('perNamespace');
    expect(table.expire(361_000)).toEqual([]);
    expect(grant(table, 'd', many(10, 30), 361_000)).toHaveLength(10);
  });

  it('hold for names that share one address as well', () => {
    const table = new GrantTable(limits);
    for (let name = 0; name < 100; name++) grant(table, `n${name}`, [want('192.0.2.1')], 0);
    expect(exceeded(table.reserve('n100', [want('192.0.2.1')], 1))).toBe('perNamespace');
    expect(grant(table, 'n5', [want('192.0.2.1')], 200_000)).toHaveLength(1);
  });

  it('allow 1,000 addresses of a name and 10,000 of a namespace', () => {
    const table = new GrantTable();
    for (let name = 0; name < 10; name++) grant(table, `n${name}`, many(1_000, 1_000 * name), 0);
    expect(exceeded(table.reserve('n0', many(1, 20_000), 0))).toBe('perName');
    expect(exceeded(table.reserve('n10', many(1, 20_000), 0))).toBe('perNamespace');
  });
});

describe('a restart', () => {
  it('takes over what was granted, over the limits too', () => {
    const before = new GrantTable();
    grant(before, 'a', many(20), 0);
    const after = new GrantTable({ perName: 10, perNamespace: 10 });
    after.restore(before.held(1_000), 1_000);
    expect(after.held(1_000)).toEqual(before.held(1_000));
    expect(grant(after, 'a', many(20), 2_000)).toEqual([]);
    expect(exceeded(after.reserve('b', many(1, 50), 2_000))).toBe('perNamespace');
  });

  it('takes over what was sent and not confirmed as such: it may have to be removed', () => {
    const before = new GrantTable();
    reserve(before, 'a', many(1), 0);
    const after = new GrantTable();
    after.restore(before.held(1_000), 1_000);
    expect(many(1).some((one) => after.isGranted(one, 1_000))).toBe(false);
    expect(texts(after.retain(() => false))).toEqual(['198.18.0.0 tcp/443']);
  });

  it('takes over nothing that has expired', () => {
    const before = new GrantTable();
    grant(before, 'a', many(1), 0);
    const after = new GrantTable();
    after.restore(before.held(1_000), 400_000);
    expect(after.size).toBe(0);
  });
});
