/**
 * Marks of flows: whatever the fingerprints are, no mark has two meanings.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  ALONE,
  aloneGeneration,
  CALLED,
  CALLED_MASK,
  egressMark,
  INBOUND,
  ingressGeneration,
  OLDER,
} from '../../../src/rendering/flow-marks.ts';

const isCalled = (mark: string): boolean => (BigInt(mark) & BigInt(CALLED_MASK)) === BigInt(CALLED);

const isAlone = (mark: string): boolean => (BigInt(mark) & BigInt(CALLED_MASK)) === BigInt(ALONE);

/** Of a text, with the borders of all ranges. */
const fingerprints = fc
  .tuple(
    fc.constantFrom(
      '00000000',
      '00000001',
      '00000002',
      '00000003',
      'dfffffff',
      'e0000000',
      'efffffff',
      'f0000000',
      '',
    ),
    fc.stringMatching(/^[0-9a-f]{32}$/),
  )
  .map(([start, rest]) => `${start}${rest}`.slice(0, 32));

it('a generation of rules about destinations is no mark of a flow from outside', () => {
  fc.assert(
    fc.property(fingerprints, (fingerprint) => {
      const mark = egressMark(fingerprint);
      expect(mark).toMatch(/^0x[0-9a-f]{8}$/);
      expect(Number(mark)).toBeGreaterThan(Math.max(INBOUND, OLDER));
      expect(isCalled(mark)).toBe(false);
      expect(isAlone(mark)).toBe(false);
    }),
  );
});

it('a generation of rules about callers is one, and not that of an unknown caller', () => {
  fc.assert(
    fc.property(fingerprints, (fingerprint) => {
      const mark = ingressGeneration(fingerprint);
      expect(mark).toMatch(/^0x[0-9a-f]{8}$/);
      expect(isCalled(mark)).toBe(true);
      expect(Number(mark)).not.toBe(Number(CALLED));
      expect(isAlone(aloneGeneration(fingerprint))).toBe(true);
    }),
  );
});

it('other texts have other generations', () => {
  expect(egressMark('e1234567'.padEnd(32, '0'))).toBe('0xc1234567');
  expect(egressMark('f1234567'.padEnd(32, '0'))).toBe('0xd1234567');
  expect(egressMark('12345678'.padEnd(32, '0'))).toBe('0x12345678');
  expect(ingressGeneration('12345678'.padEnd(32, '0'))).toBe('0xe1234567');
  expect(aloneGeneration('12345678'.padEnd(32, '0'))).toBe('0xf1234567');
});
