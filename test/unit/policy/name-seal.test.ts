import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  aliveDatagram,
  grantDatagram,
  MOST_CLASSES,
  removeDatagram,
  SEAL_RULES,
  timeoutFor,
} from '../../../src/policy/name-seal.ts';
import { address } from '../features/names/names.ts';

const SECRET = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{32})/, '');

it.each([
  [0, 60],
  [60, 60],
  [61, 300],
  [3_900, 4_200],
  [86_400, 86_400],
  [99_999, 86_400],
])('keeps a grant of %i seconds for %i', (seconds, timeout) => {
  expect(timeoutFor(seconds)).toBe(timeout);
});

it('begins with the secret', () => {
  const start = (bytes: Uint8Array) => bytes.slice(0, 16);
  expect(start(aliveDatagram(SECRET))).toEqual(SECRET);
  expect(start(grantDatagram(SECRET, 0, address('192.0.2.1'), 1))).toEqual(SECRET);
});

it('has class, family, command and address behind it', () => {
  expect(hex(grantDatagram(SECRET, 0x0102, address('192.0.2.1'), 1))).toBe('01020401c0000201');
  expect(hex(removeDatagram(SECRET, 1, address('192.0.2.1')))).toBe('00010400c0000201');
  expect(hex(removeDatagram(SECRET, 0, address('2001:db8::ff')))).toBe(
    '0000060020010db80000000000000000000000ff',
  );
  expect(hex(aliveDatagram(SECRET)).slice(0, 4)).toBe(SEAL_RULES.alive.toString(16));
});

it('has the commands of the rules', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: MOST_CLASSES - 1 }),
      fc.constantFrom('198.51.100.7', '2001:db8::7'),
      fc.integer({ min: 1, max: 86_400 }),
      (number, text, seconds) => {
        const to = address(text);
        const grants = SEAL_RULES.grants[to.family];
        const commandOf = (bytes: Uint8Array) => Number.parseInt(hex(bytes).slice(4, 8), 16);
        const command = commandOf(grantDatagram(SECRET, number, to, seconds));
        expect(grants.find((one) => one.command === command)?.timeout).toBe(timeoutFor(seconds));
        expect(commandOf(removeDatagram(SECRET, number, to))).toBe(SEAL_RULES.remove[to.family]);
      },
    ),
  );
});
