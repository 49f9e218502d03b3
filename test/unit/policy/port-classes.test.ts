import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classOf, numbersOf, portClasses } from '../../../src/policy/port-classes.ts';
import { nameRule } from '../features/names/names.ts';

const rulesOf = (classes: readonly string[]) =>
  classes.map((one, index) => nameRule(`h${index}.test:${one}`));

test('names with the same protocol and ports share a class', () => {
  const rules = ['a.test:tcp/443,80', '*.b.test@10.0.0.0/8:TCP/80,443', 'a.test:udp/443'].map(nameRule);
  expect(rules.map(classOf)).toEqual(['tcp/80,443', 'tcp/80,443', 'udp/443']);
  expect([...numbersOf(portClasses(rules)).keys()]).toEqual(['tcp/80,443', 'udp/443']);
});

test('a class has the same number whatever else there is, and no two share one', () => {
  const all = ['tcp/1', 'tcp/2', 'udp/1', 'udp/3-5', 'tcp/443', 'tcp/80,443'];
  const known = numbersOf(portClasses(rulesOf(all)));
  fc.assert(
    fc.property(fc.shuffledSubarray(all), (some) => {
      const numbers = numbersOf(portClasses(rulesOf(some)));
      expect([...numbers.keys()].sort()).toEqual(some.toSorted());
      for (const [one, number] of numbers) expect(number).toBe(known.get(one));
    }),
  );
});

test('many classes have numbers of their own, which a datagram can hold', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `tcp/${index + 1}`);
  const numbers = [...numbersOf(portClasses(rulesOf(many))).values()];
  expect(new Set(numbers).size).toBe(many.length);
  expect(Math.max(...numbers)).toBeLessThan(0xffff);
});
