/**
 * Changes lead from one state to the next, also by way of JSON, for ids that mean something to objects.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  applyChanges,
  changesBetween,
  EMPTY_STATE,
  type LiveState,
  stateOf,
  wireOf,
} from '../../../src/live/state.ts';

const table = fc
  .uniqueArray(fc.tuple(fc.constantFrom('db', 'web', '__proto__', 'constructor', ''), fc.string()), {
    selector: ([id]) => id,
  })
  .map((pairs) => new Map(pairs.map(([id, text]) => [id, { text }] as const)));

const anyState = fc
  .record({ keys: table, ingressKeys: table })
  .map((tables): LiveState => ({ ...EMPTY_STATE, ...tables }));

const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value));

test('changes lead to the next state', () => {
  fc.assert(
    fc.property(anyState, anyState, (one, other) => {
      const changes = changesBetween(one, other);
      const next = changes === undefined ? one : applyChanges(one, sent(changes));
      expect(wireOf(next).keys?.toSorted()).toEqual(wireOf(other).keys?.toSorted());
      expect(changesBetween(next, other)).toBeUndefined();
    }),
  );
});

test('a state survives the wire', () => {
  fc.assert(
    fc.property(anyState, (one) => {
      expect(stateOf(sent(wireOf(one)))).toEqual(one);
    }),
  );
});

test('a table without changes stays the same object', () => {
  const one: LiveState = { ...EMPTY_STATE, keys: new Map([['db', { text: '' }]]) };
  const next = applyChanges(one, { ingressKeys: { set: [['web', { text: '' }]] } });
  expect(next.keys).toBe(one.keys);
  expect(next.ingressKeys.size).toBe(1);
});
