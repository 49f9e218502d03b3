/** Keys named by hand. */
import { expect, test } from 'vitest';
import { requireKnown } from '../../../src/policy/known-keys.ts';

const known = new Map([
  ['payments', ''],
  ['db', ''],
]);

test('those that are there are taken', () => {
  expect(() => requireKnown(['db', 'payments'], known)).not.toThrow();
  expect(() => requireKnown([], known)).not.toThrow();
});

test('the others are named, with what was meant', () => {
  expect(() => requireKnown(['db', 'payment'], known)).toThrow(
    'Consul has no ACL key payment, so nothing was changed; did you mean payments? (--force accepts missing keys)',
  );
  expect(() => requireKnown(['a', 'db', 'b'], known)).toThrow(
    'Consul has none of the ACL keys a, b, so nothing was changed (--force accepts missing keys)',
  );
});
