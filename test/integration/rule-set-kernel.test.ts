/**
 * Canonical rule sets against a real kernel: as the template writes them they load, though sets of
 * intervals refuse overlaps, and the sets together answer like the naive matcher.
 */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withFacts } from '../../src/features/egress/facts.ts';
import { formatPrefix, lastAddress, prefixOf, WIDTH } from '../../src/net/address.ts';
import { type AllowEntry, canonical, type Element, type RuleSet } from '../../src/policy/rule-set.ts';
import type { Protocol } from '../../src/policy/traffic.ts';
import { type TrafficContext, trafficContext } from '../../src/policy/traffic-context.ts';
import { renderWith } from '../templates/rules.ts';
import { adverse, naive, type Point, points } from '../unit/policy/allow-entries.ts';

const namespace = `rule-set-${process.pid}`;

beforeAll(async () => {
  await execa('ip', ['netns', 'add', namespace]);
});

afterAll(async () => {
  await execa('ip', ['netns', 'delete', namespace], { reject: false });
});

const nft = (flags: readonly string[], input: string) =>
  execa('ip', ['netns', 'exec', namespace, 'nft', ...flags], { input, reject: false });

const PROGRAM = fileURLToPath(new URL('../../dataplane/netns', import.meta.url));

/** Replaces what was loaded before. */
const load = async (allowed: RuleSet): Promise<void> => {
  const input = withFacts(renderWith('nftables', { allowed }).text, { resolvers: [], attachments: [] });
  const { exitCode, stderr } = await execa(
    'ip',
    ['netns', 'exec', namespace, 'sh', PROGRAM, 'load', 'egress'],
    {
      ...{ input, reject: false },
    },
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
};

const SETS = { ipv4: 'allowed4', ipv6: 'allowed6', icmp4: 'allowed_icmp4', icmp6: 'allowed_icmp6' } as const;

const kindOf = ({ host, protocol }: Point): keyof typeof SETS =>
  `${protocol === 'icmp' ? 'icmp' : 'ipv'}${host.family}`;

/** For each set that might hold the point. */
const questionsFor = (point: Point, traffic: TrafficContext): readonly string[] => {
  const { host, protocol, port } = point;
  const element = `${formatPrefix(host)} . ${protocol === 'icmp' ? '' : `${protocol} . `}${port}`;
  const kind = kindOf(point);
  return traffic[kind].map(
    ({ suffix }) => `get element inet egresstrator_egress ${SETS[kind]}${suffix} { ${element} }`,
  );
};

/**
 * The questions that some set answers with yes. All are asked of one process: it says the element
 * for yes, and repeats the question after an error for no.
 */
const ask = async (questions: readonly string[]): Promise<ReadonlySet<string>> => {
  const { stdout, stderr } = await nft(['-i'], questions.map((question) => `${question}\n`).join(''));
  const refused = new Set(stderr.split('\n').filter((line) => line.startsWith('get element')));
  const found = questions.filter((question) => !refused.has(question));
  expect(stdout.split('\n').filter((line) => line.startsWith('table')).length).toBe(found.length);
  return new Set(found);
};

/** Which of the points any set holds. */
const kernelAllows = async (ruleSet: RuleSet, asked: readonly Point[]): Promise<boolean[]> => {
  const traffic = trafficContext(ruleSet, () => true);
  const questions = asked.map((point) => questionsFor(point, traffic));
  const found = await ask([...new Set(questions.flat())]);
  return questions.map((ones) => ones.some((one) => found.has(one)));
};

/** Corners of an element and the points just outside. */
const cornersOf = ({ prefix, protocol, range }: Element): Point[] => {
  const last = (1n << BigInt(WIDTH[prefix.family])) - 1n;
  const addresses = [prefix.address - 1n, prefix.address, lastAddress(prefix), lastAddress(prefix) + 1n];
  const numbers = [range.first - 1, range.first, range.last, range.last + 1];
  return addresses
    .filter((address) => address >= 0n && address <= last)
    .map((address) => prefixOf(prefix.family, address, WIDTH[prefix.family]))
    .flatMap((host) => numbers.map((port) => ({ host, protocol, port })))
    .filter(({ port }) => port >= 0 && port <= (protocol === 'icmp' ? 255 : 65_535));
};

const sample = <T>(values: readonly T[], most: number): T[] => {
  const step = Math.max(1, values.length / most);
  return Array.from(
    { length: Math.min(most, values.length) },
    (_, index) => values[Math.floor(index * step)],
  ).filter((one) => one !== undefined);
};

/** Asks for `more` points and for the corners of some elements. */
const decide = async (
  allowed: readonly AllowEntry[],
  more: readonly Point[] = [],
  some = 12,
): Promise<void> => {
  const ruleSet = canonical(allowed);
  await load(ruleSet);
  const asked = [...more, ...sample(ruleSet.layers.flat(), some).flatMap(cornersOf)];
  const answers = await kernelAllows(ruleSet, asked);
  const wrong = asked.filter((point, index) => answers[index] !== naive(allowed, point));
  expect(wrong).toEqual([]);
};

describe('a canonical rule set in the kernel', () => {
  it('loads and answers like the naive matcher, whatever was allowed', async () => {
    await fc.assert(
      fc.asyncProperty(adverse, fc.array(points, { minLength: 40, maxLength: 40 }), (allowed, asked) =>
        decide(allowed, asked),
      ),
      {
        numRuns: 25,
        interruptAfterTimeLimit: 20_000,
      },
    );
  });

  it('loads and answers so with prefixes and ports of any size', async () => {
    const anywhere: fc.Arbitrary<AllowEntry> = fc
      .record({
        family: fc.constantFrom<4 | 6>(4, 6),
        address: fc.bigInt(0n, (1n << 128n) - 1n),
        length: fc.nat({ max: 128 }),
        protocol: fc.constantFrom<Protocol>('tcp', 'udp', 'icmp'),
        numbers: fc.array(fc.tuple(fc.nat({ max: 65_535 }), fc.nat({ max: 65_535 })), {
          minLength: 1,
          maxLength: 5,
        }),
      })
      .map(({ family, address, length, protocol, numbers }) => {
        const top = protocol === 'icmp' ? 255 : 65_535;
        return {
          prefix: prefixOf(family, BigInt.asUintN(WIDTH[family], address), length % (WIDTH[family] + 1)),
          protocol,
          ranges: numbers.map(([a, b]) => ({
            first: Math.min(a & top, b & top),
            last: Math.max(a & top, b & top),
          })),
        };
      });
    await fc.assert(
      fc.asyncProperty(fc.array(anywhere, { maxLength: 200 }), (allowed) => decide(allowed)),
      { numRuns: 12, interruptAfterTimeLimit: 20_000 },
    );
  });

  it('loads with every element that a prefix length and a range can make', async () => {
    const all = ([4, 6] as const).flatMap((family) =>
      Array.from({ length: WIDTH[family] + 1 }, (_, length): AllowEntry => {
        const ones = (1n << BigInt(WIDTH[family])) - 1n;
        return {
          prefix: prefixOf(family, ones ^ (1n << BigInt(WIDTH[family] - Math.max(length, 1))), length),
          protocol: 'tcp',
          ranges: [{ first: 256 * length, last: 256 * length + (length % 3 === 0 ? 0 : 17) }],
        };
      }),
    );
    await decide(all);
    await decide([
      ...all,
      { prefix: prefixOf(4, 0n, 0), protocol: 'udp', ranges: [{ first: 0, last: 65_535 }] },
    ]);
  });

  it('loads 10,000 hosts under broad prefixes in several layers', async () => {
    const comb = Array.from({ length: 40 }, (_, tooth) => ({ first: 100 * tooth, last: 100 * tooth }));
    const wide = [{ first: 0, last: 65_535 }];
    const hosts = Array.from({ length: 10_000 }, (_, index): AllowEntry => {
      const host = prefixOf(4, 0x0a00_0000n + BigInt(index * 1657), 32);
      return {
        prefix: host,
        protocol: 'tcp',
        ranges: index % 2 === 0 ? wide : [{ first: index, last: index }],
      };
    });
    const above: AllowEntry = { prefix: prefixOf(4, 0x0a00_0000n, 8), protocol: 'tcp', ranges: comb };
    await decide([above, ...hosts], [], 3);
  });
});
