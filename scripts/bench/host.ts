/**
 * The host's rules: the time from claims to the text, the time to load it, compared with `nft -f` of the same text by
 * hand, and the time in which connections of removed forwards are looked for. Then what the rules cost packets.
 */
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { benchHostPath } from './host-path.ts';
import { hostClaims, hostPorts, renderHostRules } from './host-rules.ts';
import { type Figure, medianOf, milliseconds, sample } from './measure.ts';

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
  const rendering = await medianOf(rounds, () => renderHostRules(claims));
  const ways = waysOf(host, renderHostRules(claims), ports.map(forgotten).join('\n'));
  const taken = new Map(Object.keys(ways).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, work] of Object.entries(ways)) {
      const time = await milliseconds(work);
      if (round > 0) taken.get(name)?.push(time);
    }
  const median = (name: keyof typeof ways) => sample(taken.get(name) ?? []).median;
  const floor = { floor: median('by hand'), floorName: 'ms nft -f' };
  const figure = (what: string, value: number): Figure => ({ group, what, value, unit: 'ms' });
  return [
    figure('from claims to the text', rendering),
    { ...figure('loaded, with what the kernel holds read back', median('load')), ...floor, target: '≤ 1.3' },
    { ...figure('the same, with what was denied before', median('reload')), ...floor },
    { ...figure('a drift check', median('inspect')), ...floor },
    figure('ending the connections of all forwards', median('forget')),
  ];
}

const forgotten = ({ protocol, port, address }: ReturnType<typeof hostPorts>[number]): string =>
  `${protocol} ${port} ${address} ${port}`;

const waysOf = (host: Namespace, text: string, forwards: string) => {
  const run = (command: string, args: readonly string[], input?: string) => () =>
    host.run(command, args, { timeout: 120_000, ...(input === undefined ? {} : { input }) });
  return {
    'by hand': run('nft', ['-D', 'settled=1', '-f', '-'], text),
    load: run('sh', ['dataplane/netns', 'load', 'host', '-'], text),
    reload: run('sh', ['dataplane/netns', 'reload', 'host', '-'], text),
    inspect: run('sh', ['dataplane/netns', 'inspect', 'host', '-']),
    forget: run('sh', ['dataplane/host', 'forget'], `${forwards}\n`),
  };
};
