import { describe, expect, it } from 'vitest';
import { DEFAULT_FRESH, FreshNames } from '../../../../src/features/names/fresh-names.ts';

const admitted = (fresh: FreshNames, names: number, now: number, prefix = 'n'): number =>
  Array.from({ length: names }, (_, index) => fresh.admit('**.x.test', `${prefix}${index}`, now)).filter(
    Boolean,
  ).length;

describe('new names under a wildcard', () => {
  it('are 100 at once, and 100 in each minute after', () => {
    const fresh = new FreshNames();
    expect(admitted(fresh, 150, 0)).toBe(100);
    expect(admitted(fresh, 1, 599, 'a')).toBe(0);
    expect(admitted(fresh, 1, 600, 'a')).toBe(1);
    expect(admitted(fresh, 150, 60_600, 'b')).toBe(100);
  });

  it('do not gather over long quiet', () => {
    const fresh = new FreshNames();
    expect(admitted(fresh, 1, 0)).toBe(1);
    expect(admitted(fresh, 500, 3_600_000, 'b')).toBe(100);
  });

  it('are known afterwards, and then without a limit', () => {
    const fresh = new FreshNames();
    expect(admitted(fresh, 100, 0)).toBe(100);
    for (let round = 0; round < 10; round++) expect(admitted(fresh, 100, 1)).toBe(100);
  });

  it('count for each wildcard', () => {
    const fresh = new FreshNames({ perMinute: 1, memory: 10 });
    expect(fresh.admit('*.a.test', 'x', 0)).toBe(true);
    expect(fresh.admit('*.a.test', 'y', 0)).toBe(false);
    expect(fresh.admit('*.b.test', 'y', 0)).toBe(true);
    fresh.retain(new Set(['*.b.test']));
    expect(fresh.admit('*.b.test', 'z', 0)).toBe(false);
    expect(fresh.admit('*.a.test', 'y', 0)).toBe(true);
  });

  it('are those that were not asked for longest, when the memory is full', () => {
    const fresh = new FreshNames({ perMinute: 4, memory: 3 });
    for (const name of ['a', 'b', 'c', 'a', 'd']) expect(fresh.admit('*', name, 0)).toBe(true);
    expect(fresh.admit('*', 'b', 0)).toBe(false);
    expect(fresh.admit('*', 'a', 0)).toBe(true);
  });

  it('of a tunnel with 10,000 labels are 100 a minute', () => {
    const fresh = new FreshNames();
    let passed = 0;
    for (let index = 0; index < 10_000; index++)
      if (fresh.admit('**.t.test', `l${index}`, index * 60)) passed++;
    expect(passed).toBe(DEFAULT_FRESH.perMinute * 11 - 1);
  });

  it('do not come faster when the clock goes back', () => {
    const fresh = new FreshNames({ perMinute: 1, memory: 10 });
    expect(fresh.admit('*', 'a', 60_000)).toBe(true);
    expect(fresh.admit('*', 'b', 0)).toBe(false);
    expect(fresh.admit('*', 'b', 60_000)).toBe(false);
    expect(fresh.admit('*', 'b', 120_000)).toBe(true);
  });
});
