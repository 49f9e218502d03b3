import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { indexRules, isSearchName, matchRules } from '../../../../src/features/names/matching.ts';
import { formatNames } from '../../../../src/policy/name-rule.ts';
import { naiveMatch, naiveRule } from './naive-names.ts';
import { dotted, nameRule } from './names.ts';

const matches = (rules: readonly string[], name: readonly string[]): readonly string[] =>
  matchRules(indexRules(rules.map((one) => nameRule(`${one}:tcp/443`))), name).map(formatNames);

describe('the rules about a name', () => {
  test.each([
    ['api.example.com', 'api.example.com', true],
    ['api.example.com', 'x.api.example.com', false],
    ['api.example.com', 'example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'xexample.com', false],
    ['**.example.com', 'a.example.com', true],
    ['**.example.com', 'a.b.c.example.com', true],
    ['**.example.com', 'example.com', false],
    ['**.example.com', 'a.example.org', false],
  ])('%s and %s: %s', (rule, name, expected) => {
    expect(matches([rule], dotted(name))).toEqual(expected ? [rule] : []);
  });

  it('are decided by labels, not by dots', () => {
    expect(matches(['api.example.com', '*.example.com'], ['api.example', 'com'])).toEqual([]);
    expect(matches(['*.example.com'], ['a.b', 'example', 'com'])).toEqual(['*.example.com']);
    expect(matches(['**.example.com'], ['a', 'b.example', 'com'])).toEqual([]);
  });

  it('come in the order of how specific they are', () => {
    const rules = ['**.example.com', '*.b.example.com', '**.b.example.com', 'a.b.example.com'];
    expect(matches(rules, dotted('a.b.example.com'))).toEqual([
      ...['a.b.example.com', '*.b.example.com', '**.b.example.com', '**.example.com'],
    ]);
  });

  it('are those that a loop over all of them finds', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'test');
    const texts = fc
      .tuple(fc.constantFrom('', '*.', '**.'), fc.array(label, { minLength: 2, maxLength: 4 }))
      .map(([star, labels]) => `${star}${labels.join('.')}`);
    fc.assert(
      fc.property(fc.array(texts), fc.array(label, { maxLength: 6 }), (rules, name) => {
        const expected = rules.filter((rule) => naiveMatch(naiveRule(`${rule}:tcp/443`), name));
        expect([...matches(rules, name)].sort()).toEqual(expected.sort());
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a name of a search list', () => {
  const isAllowed = (name: readonly string[]): boolean => ['api.example.com', 'db'].includes(name.join('.'));

  test.each([
    ['api.example.com.corp.example', true],
    ['db.corp.example', true],
    ['api.example.com', false],
    ['x.api.example.com', false],
    ['example.com', false],
  ])('%s: %s', (name, expected) => {
    expect(isSearchName(dotted(name), isAllowed)).toBe(expected);
  });

  it('is none of very many labels, as each costs a look', () => {
    let looks = 0;
    const count = (): boolean => ++looks < 0;
    expect(isSearchName(Array<string>(127).fill('a'), count)).toBe(false);
    expect(isSearchName(Array<string>(32).fill('a'), count)).toBe(false);
    expect(looks).toBe(31);
  });
});
