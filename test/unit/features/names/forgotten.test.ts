/** Addresses that an earlier run has granted and of which only the kernel has told: nobody knows their names. */
import { expect, it } from 'vitest';
import { FreshNames } from '../../../../src/features/names/fresh-names.ts';
import { FORGOTTEN, type HeldGrant } from '../../../../src/features/names/grant.ts';
import { GrantTable } from '../../../../src/features/names/grant-table.ts';
import { changePolicy } from '../../../../src/features/names/policy-change.ts';
import { address, formatElement, policyOf } from './names.ts';

const forgotten = (to: string, portClass: string): HeldGrant => ({
  ...{ portClass, address: address(to), name: FORGOTTEN },
  ...{ needed: 60_000, until: 60_000, atMost: 61_000 },
});

const PUBLIC = 'a.test:tcp/443';
const PRIVATE = 'db.test@10.0.0.0/8:tcp/443';
const OTHER = 'a.test:udp/53';

const under = (...rules: readonly string[]) => {
  const grants = new GrantTable();
  grants.restore(
    [forgotten('1.1.1.1', 'tcp/443'), forgotten('10.0.0.1', 'tcp/443'), forgotten('1.1.1.1', 'udp/53')],
    0,
  );
  const state = { policy: policyOf(rules), fresh: new FreshNames(), grants };
  return (...next: readonly string[]) => {
    const { removed, reservations } = changePolicy(state, policyOf(next), 0);
    expect(reservations).toEqual([]);
    return { removed: removed.map(formatElement), held: grants.held(0).map(formatElement) };
  };
};

it('stay while a rule may have granted them', () => {
  expect(under(PUBLIC, PRIVATE, OTHER)(PUBLIC, PRIVATE, OTHER, 'b.test:tcp/80')).toEqual({
    removed: [],
    held: ['1.1.1.1 tcp/443', '10.0.0.1 tcp/443', '1.1.1.1 udp/53'],
  });
});

it('go where no rule of now grants them', () => {
  expect(under(PUBLIC)(PUBLIC)).toEqual({
    removed: ['10.0.0.1 tcp/443', '1.1.1.1 udp/53'],
    held: ['1.1.1.1 tcp/443'],
  });
});

it('go with each rule that may have granted them, although others would', () => {
  const change = under(PUBLIC, PRIVATE, OTHER);
  expect(change('b.test:tcp/443', PRIVATE, OTHER).removed).toEqual(['1.1.1.1 tcp/443']);
  expect(change('b.test:tcp/443', PRIVATE, 'b.test:tcp/53').removed).toEqual(['1.1.1.1 udp/53']);
  expect(change('b.test:tcp/443', 'x.test@10.0.0.0/8:tcp/443').held).toEqual([]);
});
