import { expect, it } from 'vitest';
import { GrantTable, type Reservation } from '../../../src/features/names/grant-table.ts';
import { elementsOf } from '../../../src/name-proxy/names-text.ts';
import { address, formatElement } from '../features/names/names.ts';

const reserve = (table: GrantTable, name: string, timeout: number): Reservation => {
  const wanted = {
    portClass: 'tcp/443',
    address: address('1.1.1.1'),
    grant: timeout,
    timeout,
    enough: timeout,
  };
  const reserved = table.reserve(name, [wanted], 0);
  if ('exceeded' in reserved) throw new Error('exceeded');
  return reserved;
};
const listed = (...[held, reserved, now]: Parameters<typeof elementsOf>) =>
  elementsOf(held, reserved, now).map((one) => `${formatElement(one)} ${one.seconds}`);

it.each([[[300, 60]], [[60, 300]]])(
  'has an address once, for the longest time that a name needs it (%j)',
  (timeouts) => {
    const table = new GrantTable();
    const reserved = timeouts.map((timeout) => reserve(table, `n${timeout}`, timeout));
    expect(listed(table.held(0), reserved, 0)).toEqual(['1.1.1.1 tcp/443 300']);
  },
);

it('has what the kernel has, and not what is only on its way', () => {
  const table = new GrantTable();
  const { confirm } = reserve(table, 'a', 300);
  expect(listed(table.held(0), [], 0)).toEqual([]);
  confirm(0);
  expect(listed(table.held(100_500), [], 100_500)).toEqual(['1.1.1.1 tcp/443 200']);
});
