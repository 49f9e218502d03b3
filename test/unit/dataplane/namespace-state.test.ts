import { expect, test } from 'vitest';
import { parseState } from '../../../src/dataplane/namespace-state.ts';

const digest = 'ab'.repeat(32);
const nothing = { fingerprint: undefined, facts: undefined, digest: undefined };

test.each([
  ['', nothing],
  [
    `fingerprint 12ab\nfacts 0x00001234\ndigest ${digest}\n`,
    { fingerprint: '12ab', facts: '0x00001234', digest },
  ],
  [`digest ${digest}\n`, { ...nothing, digest }],
  [`listing ${digest}\ndigest ${digest}\n`, { ...nothing, digest, listing: digest }],
  [`digest ${digest}\nforeign yes\n`, { ...nothing, digest, hasForeign: true }],
  // Something is loaded whose comment is not ours.
  [`fingerprint \ndigest ${digest}\n`, { ...nothing, digest }],
])('%j', (text, expected) => {
  expect(parseState(text)).toEqual(expected);
});

test.each([
  'hello\n',
  'fingerprint xyz\n',
  'facts 1234\n',
  'digest abcd\n',
  'fingerprint 12\nfingerprint 13\n',
  'constructor 12\n',
  'foreign no\n',
])('%j is no state', (text) => {
  expect(() => parseState(text)).toThrow();
});
