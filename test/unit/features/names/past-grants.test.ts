import { expect, it } from 'vitest';
import { PastGrants } from '../../../../src/features/names/past-grants.ts';
import { address, formatElement } from './names.ts';

const element = (to: string, portClass = 'tcp/443') => ({ portClass, address: address(to) });
const listed = (past: PastGrants) => past.elements().map(formatElement);

it('remembers each element once, and the last ones', () => {
  const past = new PastGrants(2);
  for (const to of ['1.1.1.1', '1.1.1.2', '1.1.1.1', '1.1.1.3']) past.add('a', element(to));
  expect(listed(past)).toEqual(['1.1.1.1 tcp/443', '1.1.1.3 tcp/443']);
});

it('forgets an element when none of its names may have it, and says so', () => {
  const past = new PastGrants();
  for (const name of ['a', 'b']) past.add(name, element('1.1.1.1'));
  past.add('a', element('1.1.1.1', 'tcp/80'));
  expect(past.retain((name, { portClass }) => name === 'b' || portClass === 'tcp/80')).toBe(false);
  expect(listed(past)).toEqual(['1.1.1.1 tcp/443', '1.1.1.1 tcp/80']);
  expect(past.retain((name) => name === 'a')).toBe(true);
  expect(listed(past)).toEqual(['1.1.1.1 tcp/80']);
});
