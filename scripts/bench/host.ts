/**
 * The host's rules: the time from claims to the text, the time to load it, compared with `nft -f` of the same text by
 * hand, and the time in which connections of removed forwards are looked for. All is processor time, which other programs
 * on the machine hardly change. Then what the rules cost packets.
 */
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { benchHostPath } from './host-path.ts';
import { hostClaims, hostPorts, renderHostRules } from './host-rules.ts';
import { type Figure, sample } from './measure.ts';

/** `count`: of openings and of forwards. Each load and its floor are medians of as many rounds, in turn. */
export async function benchHost(count: number, rounds: number): Promise<readonly Figure[]> {
  await using set = await createNamespaces(2);
  const [host] = set.namespaces;
  if (host === undefined) throw new Error('a namespace was asked for');
  return [...(await benchLoads(host, count, rounds)), ...(await benchHostPath(count, rounds))];
}

async function benchLoads(host: Namespace, count: number, rounds: number): Promise<readonly Figure[]> {
  const group = `the host's rules, ${count} openings and ${count} forwards`;
  const ports = hostPorts(count);
  const claims = hostClaims({ openings: ports, forwards: ports });
  const rendering = sample(
    Array.from({ length: rounds }, () => processorTime(() => renderHostRules(claims))),
  ).median;
  const ways = waysOf(host, renderHostRules(claims), ports.map(forgotten).join('\n'));
  const taken = new Map(Object.keys(ways).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, work] of Object.entries(ways)) {
      const time = await work();
      if (round > 0) taken.get(name)?.push(time);
    }
  const median = (name: keyof typeof ways) => sample(taken.get(name) ?? []).median;
  const floor = { floor: median('by hand'), floorName: 'ms nft -f' };
  const figure = (what: string, value: number): Figure => ({ group, what, value, unit: 'ms' });
  const goal = { ...floor, target: '≤ 1.3' };
  // A load ends with what a drift check does.
  const enforced = median('load') - median('inspect');
  return [
    figure('from claims to the text', rendering),
    { ...figure('until they are in force', enforced), ...goal },
    { ...figure('the whole run, with what the kernel holds read back', median('load')), ...goal },
    { ...figure('the same, with what was denied before', median('reload')), ...floor },
    { ...figure('a drift check', median('inspect')), ...floor },
    figure('ending the connections of all forwards', median('forget')),
  ];
}

/** Milliseconds. */
function processorTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const forgotten = ({ protocol, port, address }: ReturnType<typeof hostPorts>[number]): string =>
  `${protocol} ${port} ${address} ${port}`;

/** The processor time of each in milliseconds. */
const waysOf = (host: Namespace, text: string, forwards: string) => {
  const run = (command: string, input?: string) => async (): Promise<number> => {
    const script = `${command} >/dev/null; times`;
    const { stdout } = await host.run('sh', ['-c', script], { timeout: 120_000, input: input ?? '' });
    return ofChildren(stdout);
  };
  return {
    'by hand': run('nft -D settled=1 -f -', text),
    load: run('sh dataplane/netns load host -', text),
    reload: run('sh dataplane/netns reload host -', text),
    inspect: run('sh dataplane/netns inspect host -'),
    forget: run('sh dataplane/host forget', `${forwards}\n`),
  };
};

/** From the second line that `times` of a shell prints: `0m0.22s 0m0.05s`. */
function ofChildren(times: string): number {
  const [, children = ''] = times.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}
