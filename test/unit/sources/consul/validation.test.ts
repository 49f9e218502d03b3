/** Which answers are believed. */
import { expect, test } from 'vitest';
import { type Doubts, judge, noDoubts } from '../../../../src/sources/consul/validation.ts';
import { answer } from './support.ts';

const known = answer(100, 'ab');
const twice: Doubts = { emptyBefore: true, lostSince: undefined };
const lost: Doubts = { emptyBefore: true, lostSince: 1_000 };
const at = (consistent: boolean, now = 5_000) => ({ consistent, now, patience: 10_000 });
const verdict = (...args: Parameters<typeof judge>) => judge(...args).kind;

test.each([
  ['first, consistent', undefined, answer(1, 'a'), noDoubts, at(true), 'believe'],
  [
    'first, stale without leader',
    undefined,
    answer(1, 'a', { leaderKnown: false }),
    noDoubts,
    at(false),
    'again',
  ],
  ['newer', known, answer(101, 'abc'), noDoubts, at(false), 'believe'],
  ['the same again', known, answer(100, 'ab'), noDoubts, at(false), 'believe'],
  ['older', known, answer(99, 'ab'), noDoubts, at(false), 'again'],
  ['older, consistent', known, answer(99, 'ab'), noDoubts, at(true), 'believe'],
  ['empty', known, answer(101, ''), noDoubts, at(false), 'again'],
  ['empty, consistent, but for the first time', known, answer(101, ''), noDoubts, at(true), 'again'],
  ['empty again, but stale', known, answer(101, ''), twice, at(false), 'again'],
  ['empty again, consistent', known, answer(101, ''), twice, at(true), 'believe'],
  ['empty again, with an index that did not move', known, answer(100, ''), twice, at(true), 'doubt'],
  ['empty again, with an index that went backwards', known, answer(3, ''), twice, at(true), 'doubt'],
  ['empty after the history was lost', known, answer(999, ''), lost, at(true), 'doubt'],
  ['empty long after the history was lost', known, answer(999, ''), lost, at(true, 11_000), 'believe'],
  ['empty, as before', answer(100, ''), answer(100, ''), noDoubts, at(false), 'believe'],
  ['empty, as before, in a new history', answer(100, ''), answer(3, ''), noDoubts, at(true), 'believe'],
])('%s', (_name, known, said, doubts, circumstances, expected) => {
  expect(verdict(known, said, doubts, circumstances)).toBe(expected);
});

test('a doubt remembers when the history was lost', () => {
  const first = judge(known, answer(3, ''), twice, at(true, 7_000));
  expect(first).toEqual({ kind: 'doubt', doubts: { emptyBefore: true, lostSince: 7_000 } });
});
