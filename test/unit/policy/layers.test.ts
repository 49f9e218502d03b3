/** What ancestors cover is in no layer; see rule-set.test.ts for what layers mean together. */
import { expect, test } from 'vitest';
import { parsePrefix } from '../../../src/net/address.ts';
import { splitIntoLayers } from '../../../src/policy/layers.ts';

const entry = (text: string, first: number, last: number) => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return { prefix: parsed.prefix, ranges: [{ first, last }] };
};

test('a prefix whose ports its ancestor has is in no layer', () => {
  const broad = entry('10.0.0.0/8', 1, 100);
  expect(splitIntoLayers([broad, entry('10.1.0.0/16', 50, 60)])).toEqual([[broad]]);
});

test('a prefix keeps the ports that its ancestor does not have', () => {
  const broad = entry('10.0.0.0/8', 1, 100);
  const { prefix } = entry('10.1.0.0/16', 50, 150);
  expect(splitIntoLayers([broad, entry('10.1.0.0/16', 50, 150)])).toEqual([
    [broad, { prefix, ranges: [{ first: 101, last: 150 }] }],
  ]);
});
