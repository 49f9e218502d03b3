/**
 * Sets of exact elements and sets of intervals: together they hold what the rule set allows, no more, no less.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parsePrefix, WIDTH } from '../../../src/net/address.ts';
import type { Range } from '../../../src/policy/rule.ts';
import { type AllowEntry, canonical } from '../../../src/policy/rule-set.ts';
import { type SetContext, type TrafficContext, trafficContext } from '../../../src/policy/traffic-context.ts';
import { adverse, everyPoint, naive } from './allow-entries.ts';

/** An element read back from its text. */
type Read = AllowEntry & { readonly text: string };

const prefixOf = (text: string): AllowEntry['prefix'] => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(`${text}: ${parsed.reason}`);
  return parsed.prefix;
};

const rangeOf = (text: string): Range => {
  const [first, last = first] = text.split('-').map(Number);
  if (first === undefined || last === undefined) throw new Error(`"${text}" is no range`);
  return { first, last };
};

/** `10.0.0.0/8 . tcp . 80-90`, `10.0.0.0/8 . 8` */
const read = (text: string): Read => {
  const [prefix = '', ...others] = text.split(' . ');
  const [protocol, range = ''] = others.length === 1 ? ['icmp', ...others] : others;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp') throw new Error(`what is "${text}"?`);
  return { text, protocol, prefix: prefixOf(prefix), ranges: [rangeOf(range)] };
};

const KINDS = ['ipv4', 'ipv6', 'icmp4', 'icmp6'] as const;
const setsIn = (traffic: TrafficContext): readonly SetContext[] => KINDS.flatMap((kind) => traffic[kind]);
const elementsOf = (sets: readonly SetContext[]): readonly Read[] =>
  sets.flatMap(({ elements }) => elements.map(read));

const isExact = ({ prefix, ranges }: Read): boolean =>
  prefix.length === WIDTH[prefix.family] && ranges.every(({ first, last }) => first === last);

const overlap = (one: Read, other: Read): boolean =>
  one.protocol === other.protocol &&
  (contains(one.prefix, other.prefix) || contains(other.prefix, one.prefix)) &&
  one.ranges.some((a) => other.ranges.some((b) => a.first <= b.last && b.first <= a.last));

const overlapsIn = (elements: readonly Read[]): readonly string[] =>
  elements.flatMap((one, index) =>
    elements
      .slice(index + 1)
      .filter((other) => overlap(one, other))
      .map((other) => `${one.text} and ${other.text}`),
  );

const contextOf = (allowed: readonly AllowEntry[]): TrafficContext =>
  trafficContext(canonical(allowed), () => true);

const POINTS = everyPoint();

describe('whatever is allowed', () => {
  it('the sets grant that, and nothing else', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const granted = elementsOf(setsIn(contextOf(allowed)));
        expect(POINTS.filter((point) => naive(granted, point) !== naive(allowed, point))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('each element is in a set of its kind, and none is there twice', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        for (const { exact, size, elements } of setsIn(contextOf(allowed))) {
          expect(elements.length).toBeGreaterThan(0);
          expect(size).toBe(String(elements.length));
          expect(elements.map(read).filter((element) => isExact(element) !== exact)).toEqual([]);
          expect(new Set(elements).size).toBe(elements.length);
        }
      }),
    );
  });

  it('no elements of a set overlap, and no sets of a kind have the same name', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const traffic = contextOf(allowed);
        for (const set of setsIn(traffic)) expect(overlapsIn(set.elements.map(read))).toEqual([]);
        for (const kind of KINDS) {
          const names = traffic[kind].map(({ suffix }) => suffix);
          expect(new Set(names).size).toBe(names.length);
          expect(traffic[kind].findLastIndex(({ exact }) => exact)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('its order changes nothing', () => {
    const shuffled = adverse.chain((allowed) =>
      fc.tuple(
        fc.constant(allowed),
        fc.shuffledSubarray(allowed, { minLength: allowed.length, maxLength: allowed.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([allowed, others]) => {
        expect(contextOf(others)).toEqual(contextOf(allowed));
      }),
    );
  });
});
