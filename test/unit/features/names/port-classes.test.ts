import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classOf, numberClasses } from '../../../../src/features/names/port-classes.ts';
import { nameRule } from './names.ts';

const rulesOf = (classes: readonly string[]) =>
  classes.map((one, index) => nameRule(`h${index}.test:${one}`));

test('names with the same protocol and ports share a class', () => {
  const rules = ['a.test:tcp/443,80', '*.b.test@10.0.0.0/8:TCP/80,443', 'a.test:udp/443'].map(nameRule);
  expect(rules.map(classOf)).toEqual(['tcp/80,443', 'tcp/80,443', 'udp/443']);
  expect(numberClasses(rules)).toEqual(
    new Map([
      ['tcp/80,443', 0],
      ['udp/443', 1],
    ]),
  );
});

test('a class keeps its number as long as a rule has it, and no two share one', () => {
  const classes = fc.subarray(['tcp/1', 'tcp/2', 'udp/1', 'udp/3-5', 'tcp/443', 'tcp/80,443']);
  fc.assert(
    fc.property(fc.array(classes, { minLength: 2 }), (steps) => {
      let numbers: ReadonlyMap<string, number> = new Map();
      for (const step of steps) {
        const next = numberClasses(rulesOf(step), numbers);
        expect([...next.keys()].sort()).toEqual([...step].sort());
        expect(new Set(next.values()).size).toBe(step.length);
        for (const one of step) if (numbers.has(one)) expect(next.get(one)).toBe(numbers.get(one));
        expect(Math.max(-1, ...next.values())).toBeLessThan(6);
        numbers = next;
      }
    }),
  );
});
