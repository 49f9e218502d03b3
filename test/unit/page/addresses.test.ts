/** Addresses of screens. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyPath, match, workloadPath } from '../../../page/ui/addresses.ts';

test.each([
  ['/', '/', {}],
  ['/denied', '/denied', {}],
  ['/denied', '/denied/', {}],
  ['/denied', '/keys', undefined],
  ['/keys', '/keys/db', undefined],
  ['/keys/:key', '/keys', undefined],
  ['/keys/:key', '/keys/db', { key: 'db' }],
  ['/keys/:key', '/keys/%E0%A4%A', undefined],
])('%s and %s', (pattern, address, found) => {
  expect(match(pattern, address)).toEqual(found);
});

test('a name comes out of an address as it went in, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      const name = text.toWellFormed();
      expect(match('/keys/:key', keyPath(name))).toEqual({ key: name });
      expect(match('/workloads/:name', workloadPath(name))).toEqual({ name });
    }),
  );
});
