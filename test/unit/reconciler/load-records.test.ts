/** What is found in a kernel, held against what is remembered of it. */
import { expect, test } from 'vitest';
import { compareLoads, LoadRecords, type Loads } from '../../../src/reconciler/load-records.ts';

const LOADED = { fingerprint: 'f', facts: '0x2', digest: 'd' };
const NOTHING = { fingerprint: undefined, facts: undefined, digest: undefined };
const BY_GATE = { fingerprint: 'f', facts: '0x1', digest: undefined };

test.each([
  ['nothing, where nothing is known', undefined, NOTHING, false, 'same'],
  ['something, where nothing is known', undefined, LOADED, false, 'unknown'],
  ['the same', LOADED, LOADED, false, 'same'],
  ['the same as a previous run had', LOADED, LOADED, true, 'same'],
  ['another digest', LOADED, { ...LOADED, digest: 'e' }, false, 'changed'],
  ['another digest than a previous run had', LOADED, { ...LOADED, digest: 'e' }, true, 'changed'],
  ['nothing', LOADED, NOTHING, false, 'changed'],
  ['nothing where a previous run had something', LOADED, NOTHING, true, 'changed'],
  ['no fingerprint where a previous run had one', LOADED, { ...NOTHING, digest: 'e' }, true, 'changed'],
  ['another fingerprint', LOADED, { ...LOADED, fingerprint: 'g', digest: 'e' }, false, 'changed'],
  [
    'another fingerprint than a previous run had',
    LOADED,
    { ...LOADED, fingerprint: 'g', digest: 'e' },
    true,
    'unknown',
  ],
  ['other facts than a previous run had', LOADED, { ...LOADED, facts: '0x3', digest: 'e' }, true, 'unknown'],
  ['what the gate has loaded', BY_GATE, { ...LOADED, facts: '0x1' }, false, 'unknown'],
  ['something else than the gate has loaded', BY_GATE, { ...LOADED, fingerprint: 'g' }, false, 'changed'],
] as const)('%s', (_what, expected, found, isFromPreviousRun, comparison) => {
  expect(compareLoads(expected, found, isFromPreviousRun)).toBe(comparison);
});

function records(previous?: Loads) {
  const kept: (readonly string[])[] = [];
  return { kept, records: new LoadRecords(previous, (loads) => kept.push([...loads.keys()])) };
}

test('what is remembered counts as long as the namespace is attached as it was', () => {
  const { records: one } = records();
  one.set('a', 'net', LOADED);
  expect(one.get('a', 'net')).toEqual(LOADED);
  expect(one.get('a', 'net,other')).toBeUndefined();
  expect(one.get('b', 'net')).toBeUndefined();
});

test('it is kept when something changes, and only then', () => {
  const { records: one, kept } = records(new Map([['old', { ...LOADED, attachments: 'net' }]]));
  one.set('a', 'net', LOADED);
  one.set('a', 'net', { ...LOADED });
  one.set('b', 'net', BY_GATE);
  one.set('c', 'net', undefined);
  expect(kept).toEqual([['old', 'a']]);
  one.retain(new Set(['a', 'b']));
  one.retain(new Set(['a', 'b']));
  expect(kept).toEqual([['old', 'a'], ['a']]);
  one.set('a', 'net', undefined);
  expect(kept.at(-1)).toEqual([]);
});
