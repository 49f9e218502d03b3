/**
 * Random ingress rules against a naive matcher, by real calls of every protocol and family from four places at once.
 */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Namespace } from '../../lab/netns.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import { contains, parseAddress, parsePrefix } from '../../src/net/address.ts';
import type { Agent } from './agents.ts';
import { netns, packet } from './fixture.ts';
import { PORT, useHost } from './host-fixture.ts';
import { ruleSet } from './rules.ts';

const { agents, containers, host, outside } = await useHost();
const guarded = containers.a1;

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

interface Line {
  readonly prefix: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly first: number;
  readonly last: number;
}

const prefixes = fc
  .tuple(fc.constantFrom(...callers), fc.constantFrom('ipv4', 'ipv6'), fc.constantFrom(0, 0, 1, 8, 200))
  .map(([caller, family, bits]) => {
    const width = family === 'ipv4' ? 32 : 128;
    return `${family === 'ipv4' ? caller.ipv4 : caller.ipv6}/${Math.max(0, width - bits)}`;
  });

const transport: fc.Arbitrary<Line> = fc.record({
  prefix: prefixes,
  protocol: fc.constantFrom('tcp', 'udp'),
  first: fc.constantFrom(PORT - 5, PORT, PORT + 1),
  last: fc.constantFrom(PORT, PORT + 1, PORT + 9),
});

const echo: fc.Arbitrary<Line> = prefixes.map((prefix) => {
  const type = prefix.includes(':') ? 128 : 8;
  return { prefix, protocol: 'icmp', first: type, last: type };
});

const lines = fc
  .array(fc.oneof(transport, transport, echo), { maxLength: 8 })
  .map((all) => all.filter(({ first, last }) => first <= last));

const textOf = ({ prefix, protocol, first, last }: Line): string =>
  `${prefix}:${protocol}/${first}${first === last ? '' : `-${last}`}`;

function mayCall(rules: readonly Line[], from: string, protocol: string, port: number): boolean {
  const address = parseAddress(from);
  return rules.some((rule) => {
    const parsed = parsePrefix(rule.prefix);
    const isFrom = address !== undefined && 'prefix' in parsed && contains(parsed.prefix, address);
    return isFrom && rule.protocol === protocol && rule.first <= port && port <= rule.last;
  });
}

let last = 0;

/** All calls of one caller, as `tcp 8080 ipv4` with whether it was answered. */
function calls(
  { agent, namespace, ...addresses }: Caller,
  rules: readonly Line[],
): readonly Promise<readonly [string, boolean, boolean]>[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const at = guarded[family];
    const from = addresses[family];
    const type = family === 'ipv4' ? 8 : 128;
    const transports = [PORT, PORT + 1].flatMap((port) => [
      probe(
        `${from} tcp ${port}`,
        mayCall(rules, from, 'tcp', port),
        agent.open(`c${last++}`, at, port),
        'connected',
      ),
      probe(
        `${from} udp ${port}`,
        mayCall(rules, from, 'udp', port),
        agent.ask(at, port, 20_000 + last++),
        'hello',
      ),
    ]);
    const ping = packet(namespace, 'ping', at);
    return [...transports, probe(`${from} icmp`, mayCall(rules, from, 'icmp', type), ping, 'answered')];
  });
}

const probe = async (name: string, may: boolean, answer: Promise<string>, good: string) =>
  [name, may, (await answer) === good] as const;

beforeAll(async () => {
  await netns(guarded, 'clear');
});

it('whoever may call is answered, and nobody else', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(lines, async (rules) => {
      const { text } = renderIngress(loadIngressTemplate(), ruleSet(...rules.map(textOf)), 'enforce');
      expect(await netns(guarded, 'load ingress', text)).toMatchObject({ exitCode: 0, stderr: '' });
      const answers = await Promise.all(callers.flatMap((caller) => calls(caller, rules)));
      expect(answers.map(([name, , isAnswered]) => `${name}: ${isAnswered}`)).toEqual(
        answers.map(([name, may]) => `${name}: ${may}`),
      );
    }),
    { numRuns: 12, endOnFailure: true },
  );
});
