/** What is found in a kernel, held against what is remembered of it. */
import { expect, test } from 'vitest';
import { LoadMemory, type Loads, verdictOn } from '../../../src/reconciler/load-memory.ts';

const LOADED = { fingerprint: 'f', facts: '0x2', digest: 'd' };
const NOTHING = { fingerprint: undefined, facts: undefined, digest: undefined };
const BY_GATE = { fingerprint: 'f', facts: '0x1', digest: undefined };

test.each([
  ['nothing, where nothing is known', undefined, NOTHING, false, 'as it was'],
  ['something, where nothing is known', undefined, LOADED, false, 'unknown'],
  ['the same', LOADED, LOADED, false, 'as it was'],
  ['the same as a former run had', LOADED, LOADED, true, 'as it was'],
  ['another digest', LOADED, { ...LOADED, digest: 'e' }, false, 'altered'],
  ['another digest than a former run had', LOADED, { ...LOADED, digest: 'e' }, true, 'altered'],
  ['nothing', LOADED, NOTHING, false, 'altered'],
  ['nothing where a former run had something', LOADED, NOTHING, true, 'altered'],
  ['no fingerprint where a former run had one', LOADED, { ...NOTHING, digest: 'e' }, true, 'altered'],
  ['another fingerprint', LOADED, { ...LOADED, fingerprint: 'g', digest: 'e' }, false, 'altered'],
  [
    'another fingerprint than a former run had',
    LOADED,
    { ...LOADED, fingerprint: 'g', digest: 'e' },
    true,
    'unknown',
  ],
  ['other facts than a former run had', LOADED, { ...LOADED, facts: '0x3', digest: 'e' }, true, 'unknown'],
  ['what the gate has loaded', BY_GATE, { ...LOADED, facts: '0x1' }, false, 'unknown'],
  ['something else than the gate has loaded', BY_GATE, { ...LOADED, fingerprint: 'g' }, false, 'altered'],
] as const)('%s', (_what, expected, found, isRemembered, verdict) => {
  expect(verdictOn(expected, found, isRemembered)).toBe(verdict);
});

function memory(former?: Loads) {
  const kept: (readonly string[])[] = [];
  return { kept, memory: new LoadMemory(former, (loads) => kept.push([...loads.keys()])) };
}

test('what is remembered counts as long as the namespace is attached as it was', () => {
  const { memory: one } = memory();
  one.remember('a', 'net', LOADED);
  expect(one.recall('a', 'net')).toEqual(LOADED);
  expect(one.recall('a', 'net,other')).toBeUndefined();
  expect(one.recall('b', 'net')).toBeUndefined();
});

test('it is kept when something changes, and only then', () => {
  const { memory: one, kept } = memory(new Map([['old', { ...LOADED, attachments: 'net' }]]));
  one.remember('a', 'net', LOADED);
  one.remember('a', 'net', { ...LOADED });
  one.remember('b', 'net', BY_GATE);
  one.remember('c', 'net', undefined);
  expect(kept).toEqual([['old', 'a']]);
  one.retain(new Set(['a', 'b']));
  one.retain(new Set(['a', 'b']));
  expect(kept).toEqual([['old', 'a'], ['a']]);
  one.remember('a', 'net', undefined);
  expect(kept.at(-1)).toEqual([]);
});
