/**
 * Random ingress rules against a naive matcher, by real calls of every protocol and family from four places at once: a
 * neighbour on the same bridge, another bridge, the host and outside. Each rule set is then edited, while the connections
 * and the flows of datagrams of the first are still there.
 *
 * A run that fails prints its seed. `INGRESS_RUNS` makes more of them, `INGRESS_SEED` repeats them.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Namespace } from '../../lab/netns.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import { contains, parseAddress, parsePrefix } from '../../src/net/address.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { type Catalog, compile } from '../../src/policy/compile.ts';
import type { Agent } from './agents.ts';
import { load, netns, packet } from './fixture.ts';
import { PORT, useHost } from './host-fixture.ts';

const RUNS = Number(process.env.INGRESS_RUNS ?? 5);
const SEED = process.env.INGRESS_SEED === undefined ? {} : { seed: Number(process.env.INGRESS_SEED) };

const { agents, containers, host, outside } = await useHost();
const guarded = containers.a1;
const PORTS = [PORT, PORT + 1];
const FAMILIES = ['ipv4', 'ipv6'] as const;
type Family = (typeof FAMILIES)[number];

interface Caller {
  readonly agent: Agent;
  readonly namespace: Namespace;
  readonly ipv4: string;
  readonly ipv6: string;
}

const callers: readonly Caller[] = [
  { agent: agents.outside, namespace: outside, ipv4: outside.ipv4, ipv6: outside.ipv6 },
  { agent: agents.a2, namespace: containers.a2, ipv4: containers.a2.ipv4, ipv6: containers.a2.ipv6 },
  { agent: agents.b1, namespace: containers.b1, ipv4: containers.b1.ipv4, ipv6: containers.b1.ipv6 },
  // A host calls its containers from its address on their bridge.
  { agent: agents.host, namespace: host, ipv4: '172.29.1.1', ipv6: '2001:db8:a::1' },
];

/** `from`: prefixes of callers, or the addresses of a service's instances. */
interface Line {
  readonly from: { readonly prefix: string } | { readonly service: string };
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6';
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

const prefixes = fc
  .tuple(fc.constantFrom(...callers), fc.constantFrom(...FAMILIES), fc.constantFrom(0, 0, 1, 8, 200))
  .map(([caller, family, bits]) => {
    const width = family === 'ipv4' ? 32 : 128;
    return { prefix: `${caller[family]}/${Math.max(0, width - bits)}` };
  });

const SERVICES = ['web', 'cron'];
const services = fc.constantFrom(...SERVICES).map((service) => ({ service }));

const ranges = fc
  .array(fc.tuple(fc.integer({ min: PORT - 2, max: PORT + 2 }), fc.integer({ min: 0, max: 9 })), {
    minLength: 1,
    maxLength: 2,
  })
  .map((all) => all.map(([first, more]) => [first, first + more] as const));

const transport: fc.Arbitrary<Line> = fc.record({
  from: fc.oneof({ weight: 3, arbitrary: prefixes }, { weight: 1, arbitrary: services }),
  protocol: fc.constantFrom('tcp', 'udp'),
  ranges,
});

const echo: fc.Arbitrary<Line> = fc.tuple(fc.oneof(prefixes, services), fc.boolean()).map(([from, six]) => {
  const isSix = 'prefix' in from ? from.prefix.includes(':') : six;
  return {
    from,
    protocol: isSix && !('prefix' in from) ? 'icmpv6' : 'icmp',
    ranges: [isSix ? [128, 128] : [8, 8]],
  };
});

interface Rules {
  readonly lines: readonly Line[];
  readonly catalog: Catalog;
}

const rules: fc.Arbitrary<Rules> = fc.record({
  lines: fc.array(fc.oneof(transport, transport, echo), { maxLength: 8 }),
  catalog: fc
    .tuple(
      ...SERVICES.map(() =>
        fc.subarray(
          callers.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]),
          { maxLength: 3 },
        ),
      ),
    )
    .map(
      (all) =>
        new Map(
          SERVICES.map((name, at) => [
            name,
            (all[at] ?? []).map((address) => ({ address, port: 1, tags: [], node: 'n' })),
          ]),
        ),
    ),
});

const textOf = ({ from, protocol, ranges: ports }: Line): string =>
  `${'prefix' in from ? from.prefix : from.service}:${protocol}/${ports.map(([first, last]) => `${first}-${last}`)}`;

/** Of the naive matcher: a line at a time, one caller, one port. */
function mayCall(
  { lines, catalog }: Rules,
  address: string,
  protocol: 'tcp' | 'udp' | 'icmp',
  port: number,
): boolean {
  return lines.some(
    (line) =>
      line.protocol.replace('v6', '') === protocol &&
      line.ranges.some(([first, last]) => first <= port && port <= last) &&
      ('prefix' in line.from
        ? isWithin(line.from.prefix, address)
        : (catalog.get(line.from.service) ?? []).some((one) => one.address === address)),
  );
}

function isWithin(prefix: string, address: string): boolean {
  const [outer, inner] = [parsePrefix(prefix), parseAddress(address)];
  return inner !== undefined && 'prefix' in outer && contains(outer.prefix, inner);
}

async function loadRules({ lines, catalog }: Rules): Promise<void> {
  const acl = parseAcl(new Map([['web', lines.map(textOf).join('\n')]]), new Map(), 'ingress');
  const { ruleSet, problems } = compile(['web'], acl, catalog, []);
  expect(
    problems.filter(({ severity, reason }) => severity === 'error' && reason.startsWith('expected')),
  ).toEqual([]);
  const { text } = renderIngress(loadIngressTemplate(), ruleSet, 'enforce');
  expect(await netns(guarded, 'load ingress', text)).toMatchObject({ exitCode: 0, stderr: '' });
}

/** A call as `10.0.0.1 tcp 8080`, whether it may be answered, and whether it was. */
interface Call {
  readonly name: string;
  readonly may: boolean;
  readonly isAnswered: boolean;
}

/** Whoever may call may need a few calls on a busy machine; whoever may not has one. */
async function probe(name: string, may: boolean, call: () => Promise<string>, good: string): Promise<Call> {
  let isAnswered = false;
  for (let tries = may ? 5 : 1; tries > 0 && !isAnswered; tries -= 1) isAnswered = (await call()) === good;
  return { name, may, isAnswered };
}

/** What a caller does by one family. A flow of datagrams has the same ports in each run. */
function calls(caller: Caller, family: Family, now: Rules): readonly Promise<Call>[] {
  const { agent, namespace, [family]: from } = caller;
  const at = guarded[family];
  const transports = PORTS.flatMap((port) => [
    probe(
      `${from} tcp ${port}`,
      mayCall(now, from, 'tcp', port),
      () => agent.open(`${family} ${port}`, at, port),
      'connected',
    ),
    probe(
      `${from} udp ${port}`,
      mayCall(now, from, 'udp', port),
      () => agent.ask(at, port, port + 12_000),
      'hello',
    ),
  ]);
  const mayPing = mayCall(now, from, 'icmp', family === 'ipv4' ? 8 : 128);
  return [...transports, probe(`${from} icmp`, mayPing, () => packet(namespace, 'ping', at), 'answered')];
}

/** A connection that was opened under the rules `before` goes on if those `now` let its caller in. */
const heldConnections = ({ agent, ...at }: Caller, family: Family, before: Rules, now: Rules) =>
  PORTS.filter((port) => mayCall(before, at[family], 'tcp', port)).map((port) =>
    probe(
      `${at[family]} tcp ${port}, held`,
      mayCall(now, at[family], 'tcp', port),
      () => agent.talk(`${family} ${port}`),
      'hello',
    ),
  );

const each = (of: (caller: Caller, family: Family) => readonly Promise<Call>[]): Promise<readonly Call[]> =>
  Promise.all(callers.flatMap((caller) => FAMILIES.flatMap((family) => of(caller, family))));

function expectNaive(all: readonly Call[]): void {
  const shown = (pick: (call: Call) => boolean) => all.map((call) => `${call.name}: ${pick(call)}`);
  expect(shown(({ isAnswered }) => isAnswered)).toEqual(shown(({ may }) => may));
}

beforeAll(async () => {
  await netns(guarded, 'clear');
});
afterAll(() => netns(guarded, 'clear'));

it.each(['ingress alone', 'beside egress rules'])(
  'whoever may call is answered, and nobody else: %s',
  {
    timeout: 60_000 + RUNS * 20_000,
  },
  async (beside) => {
    if (beside !== 'ingress alone') await load(guarded, 'nftables');
    const property = fc.asyncProperty(rules, rules, async (before, now) => {
      await loadRules(before);
      expectNaive(await each((caller, family) => calls(caller, family, before)));
      await loadRules(now);
      expectNaive(await each((caller, family) => heldConnections(caller, family, before, now)));
      expectNaive(await each((caller, family) => calls(caller, family, now)));
      await Promise.all(callers.map(({ agent }) => agent.close()));
    });
    await fc.assert(property, { numRuns: RUNS, ...SEED, endOnFailure: true });
  },
);
