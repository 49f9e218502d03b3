/**
 * What the host's rules cost packets to a container: the guard, compared with no rules, and published ports, compared
 * with the rules that the Engine loads for them by iptables.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadDockerRules } from './docker-rules.ts';
import { type HostPort, type HostRules, hostClaims, hostPorts, renderHostRules } from './host-rules.ts';
import {
  ACCEPTING,
  connectionRate,
  type Link,
  openRoutedLink,
  PORT,
  type RoutedLink,
  tcpRate,
  udpRate,
} from './link.ts';
import { type Figure, sample } from './measure.ts';

const group = "data path, the host's rules";

interface Measure {
  readonly what: string;
  readonly unit: string;
  /** A turn takes less than half a second. */
  readonly measure: (link: Link) => Promise<number>;
  /** The least ratio of each subject. */
  readonly guard: string;
  readonly forwards: string;
}

const MEASURES: readonly Measure[] = [
  { what: 'TCP', unit: 'Gbit/s', measure: tcpRate, guard: '≥ 0.95', forwards: '≥ 0.95' },
  { what: 'UDP 64 bytes', unit: 'thousand/s', measure: udpRate, guard: '', forwards: '' },
  { what: 'TCP connections', unit: 'thousand/s', measure: connectionRate, guard: '', forwards: '≥ 0.95' },
];

/** What is loaded at the host, and which address the client calls. */
interface Way {
  readonly calls: 'container' | 'host';
  readonly load: (link: RoutedLink) => Promise<void>;
}

/** `count`: of openings and of forwards. Figure and floors are medians of as many rounds, in turn. */
export async function benchHostPath(count: number, rounds: number): Promise<readonly Figure[]> {
  const ways = waysOf(count);
  await using stack = new AsyncDisposableStack();
  const links = new Map<string, Link>();
  for (const [name, way] of Object.entries(ways)) links.set(name, await openWay(way, stack));
  // Until lookups in sets are reliable: `$settled` of dataplane/netns.
  await sleep(5_000);
  const figures: Figure[] = [];
  for (const measure of MEASURES)
    figures.push(...comparisons(measure, count, await inTurn(links, measure, rounds)));
  return figures;
}

const waysOf = (count: number) =>
  ({
    'no rules': { calls: 'container', load: async () => {} },
    guard: { calls: 'container', load: loading(count, ({ openings }) => ({ openings, forwards: [] })) },
    'iptables-nft': { calls: 'host', load: publishing('nft') },
    'iptables-legacy': { calls: 'host', load: publishing('legacy') },
    forwards: { calls: 'host', load: loading(count, ({ forwards }) => ({ openings: 'all', forwards })) },
    both: { calls: 'host', load: loading(count, (rules) => rules) },
  }) satisfies Record<string, Way>;

type Name = keyof ReturnType<typeof waysOf>;

/** The ports that are measured. */
const measured = (address: string): readonly (HostPort & { readonly protocol: 'tcp' | 'udp' })[] => [
  { address, protocol: 'tcp', port: PORT },
  { address, protocol: 'udp', port: PORT },
  { address, protocol: 'tcp', port: ACCEPTING },
];

/** Loads our rules with `count` ports beside those that are measured. */
const loading =
  (
    count: number,
    choose: (rules: { openings: readonly HostPort[]; forwards: readonly HostPort[] }) => HostRules,
  ): Way['load'] =>
  async ({ host, server }) => {
    const ports = [...hostPorts(count - 3), ...measured(server.ipv4)];
    const input = renderHostRules(hostClaims(choose({ openings: ports, forwards: ports })));
    await host.run('sh', ['dataplane/netns', 'load', 'host'], { input, timeout: 120_000 });
  };

/** The Engine's rules for these ports alone: with others before them they would be slower. */
const publishing =
  (kind: 'nft' | 'legacy'): Way['load'] =>
  ({ host, server }) =>
    loadDockerRules(host, kind, server.ipv4, measured(server.ipv4));

async function openWay({ calls, load }: Way, stack: AsyncDisposableStack): Promise<Link> {
  const link = stack.use(await openRoutedLink());
  await load(link);
  const server = { ...link.server, ipv4: calls === 'host' ? link.host.ipv4 : link.server.ipv4 };
  return { ...link, server };
}

/** The median of each link. All are measured in turn, so that a change in the machine's speed affects all alike. */
async function inTurn(links: ReadonlyMap<string, Link>, { measure }: Measure, rounds: number) {
  const taken = new Map([...links.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, link] of links) taken.get(name)?.push(await measure(link));
  return (name: Name): number => sample(taken.get(name) ?? []).median;
}

function comparisons(
  { what, unit, guard, forwards }: Measure,
  count: number,
  median: (name: Name) => number,
): readonly Figure[] {
  const compare = (subject: string, name: Name, floorName: Name, target: string): Figure => ({
    ...{ group, what: `${what}, ${subject}`, value: median(name), unit, floor: median(floorName), floorName },
    ...(target === '' ? {} : { target }),
  });
  return [
    compare(`guard, ${count} openings`, 'guard', 'no rules', guard),
    ...(['iptables-nft', 'iptables-legacy'] as const).flatMap((docker) => [
      compare(`${count} forwards`, 'forwards', docker, forwards),
      compare(`guard and ${count} forwards`, 'both', docker, forwards),
    ]),
    compare("the Engine's rules", 'iptables-nft', 'no rules', ''),
  ];
}
