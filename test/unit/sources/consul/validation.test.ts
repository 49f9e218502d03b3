/** Which results are accepted. */
import { expect, test } from 'vitest';
import { noSuspicion, type Suspicion, validate } from '../../../../src/sources/consul/validation.ts';
import { result } from './support.ts';

const known = result(100, 'ab');
const twice: Suspicion = { emptyBefore: true, lostSince: undefined };
const lost: Suspicion = { emptyBefore: true, lostSince: 1_000 };
const at = (consistent: boolean, now = 5_000) => ({ consistent, now, timeout: 10_000 });
const kindOf = (...args: Parameters<typeof validate>) => validate(...args).kind;

test.each([
  ['first, consistent', undefined, result(1, 'a'), noSuspicion, at(true), 'accept'],
  [
    'first, stale without leader',
    undefined,
    result(1, 'a', { leaderKnown: false }),
    noSuspicion,
    at(false),
    'retry',
  ],
  ['newer', known, result(101, 'abc'), noSuspicion, at(false), 'accept'],
  ['the same again', known, result(100, 'ab'), noSuspicion, at(false), 'accept'],
  ['older', known, result(99, 'ab'), noSuspicion, at(false), 'retry'],
  ['older, consistent', known, result(99, 'ab'), noSuspicion, at(true), 'accept'],
  ['empty', known, result(101, ''), noSuspicion, at(false), 'retry'],
  ['empty, consistent, but for the first time', known, result(101, ''), noSuspicion, at(true), 'retry'],
  ['empty again, but stale', known, result(101, ''), twice, at(false), 'retry'],
  ['empty again, consistent', known, result(101, ''), twice, at(true), 'accept'],
  ['empty again, with an index that did not move', known, result(100, ''), twice, at(true), 'suspect'],
  ['empty again, with an index that went backwards', known, result(3, ''), twice, at(true), 'suspect'],
  ['empty after the history was lost', known, result(999, ''), lost, at(true), 'suspect'],
  ['empty long after the history was lost', known, result(999, ''), lost, at(true, 11_000), 'accept'],
  ['empty, as before', result(100, ''), result(100, ''), noSuspicion, at(false), 'accept'],
  ['empty, as before, in a new history', result(100, ''), result(3, ''), noSuspicion, at(true), 'accept'],
])('%s', (_name, known, said, suspicion, circumstances, expected) => {
  expect(kindOf(known, said, suspicion, circumstances)).toBe(expected);
});

test('a suspicion remembers when the history was lost', () => {
  const first = validate(known, result(3, ''), twice, at(true, 7_000));
  expect(first).toEqual({ kind: 'suspect', suspicion: { emptyBefore: true, lostSince: 7_000 } });
});
