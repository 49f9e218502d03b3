/**
 * The ports guard on networks of every kind that the Engine makes, with a caller outside who reaches all of them
 * directly, over both families.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Caller } from '../../lab/netns.ts';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { callerBeside, EngineHost } from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import type { Workload, Workloads } from '../support/workloads.ts';
import { type Agent, startAgent } from '../templates/agents.ts';

const LET_IN = ['-I', 'DOCKER-USER', '-i', 'caller', '-j', 'ACCEPT'] as const;

interface Way {
  readonly address: string;
  readonly port: number;
}

onEachEngine((version) => {
  let host: EngineHost;
  let workloads: Workloads;
  let caller: Caller;
  let outside: Agent;
  let controller: RunningController;
  /** On the Engine's own bridge, which has IPv6. */
  let plain: Workload;
  /** On a network without IPv6, with the ports 8080 and 8081 of the host. */
  let published: Workload;
  const byGateway = new Map<string, Workload>();
  const gateways = version === '28.5' ? ['routed', 'nat-unprotected'] : [];

  beforeAll(async () => {
    host = await EngineHost.start(version, {
      // The guard is a table of nft, whatever the Engine makes its rules with.
      ...(version === '20.10' ? { iptables: 'legacy' } : {}),
      daemonOptions: ['--ipv6', '--fixed-cidr-v6', '2001:db8:d::/64'],
    });
    workloads = host.workloads;
    caller = await callerBeside(host.engine);
    outside = startAgent(caller.namespace);
    // Docker's own rules let this caller in, as an operator's do on a host that routes. 20.10 has none for IPv6.
    const kind = version === '20.10' ? '-legacy' : '';
    await onHost(`iptables${kind}`, ...LET_IN);
    if (version === '28.5') await onHost('ip6tables', ...LET_IN);
    plain = await workloads.run('plain');
    const v4only = await workloads.network('v4-only');
    published = await workloads.run('published', {
      ...{ network: v4only, args: ['--publish', '8080:80', '--publish', '8081:81'] },
    });
    for (const [index, mode] of gateways.entries()) byGateway.set(mode, await withGateway(mode, index));
    for (const { probe } of [plain, published, ...byGateway.values()]) await probe.serve([80, 81]);
    // A silent machine is no closed port.
    for (const address of [caller.host.ipv4, caller.host.ipv6]) await becomes(address, 8080, 'connected');
    open = await outcomes(everyWay());
    controller = await host.control(['--ports', 'enforce', '--ports-family', 'both']);
    await becomes(ipv4(plain), 80, 'silence');
  }, 300_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await outside?.[Symbol.asyncDispose]();
    await caller?.dispose();
    await host?.[Symbol.asyncDispose]();
  });

  let open: readonly (Way & { readonly is: string })[] = [];

  const onHost = async (...command: readonly string[]): Promise<void> => {
    expect(await host.run(...command)).toMatchObject({ code: 0 });
  };
  async function withGateway(mode: string, index: number): Promise<Workload> {
    const name = workloads.nameOf(mode);
    await workloads.must(
      ...['network', 'create', '--label', `egresstrator-test=${workloads.prefix}`, '--ipv6'],
      ...['--subnet', `2001:db8:e${index}::/64`],
      ...['-o', `com.docker.network.bridge.gateway_mode_ipv4=${mode}`],
      ...['-o', `com.docker.network.bridge.gateway_mode_ipv6=${mode}`, name],
    );
    return workloads.run(mode, { network: name, args: ['--publish', '80'] });
  }
  const ends = ({ addresses }: Workload) => Object.values(addresses)[0] ?? { ipv4: '', ipv6: '' };
  const ipv4 = (workload: Workload) => ends(workload).ipv4;
  const ipv6 = (workload: Workload) => ends(workload).ipv6;
  const reach = (address: string, port: number) => outside.open('x', address, port);
  const becomes = (address: string, port: number, outcome: string) =>
    waitFor(async () => (await reach(address, port)) === outcome, {
      ...{ what: `${address} ${port} to be ${outcome}`, timeout: 30_000, interval: 50 },
    });
  /** The outcome of each at once: silence takes a while. */
  const outcomes = (ways: readonly Way[]) =>
    Promise.all(ways.map(async (way) => ({ ...way, is: await reach(way.address, way.port) })));

  /** All ports of all containers, and those of the host that lead there. */
  const everyWay = () => [
    ...[plain, published, ...byGateway.values()].flatMap((workload) =>
      [ipv4(workload), ipv6(workload)]
        .filter((address) => address !== '')
        .flatMap((address) => [80, 81].map((port) => ({ address, port }))),
    ),
    ...[caller.host.ipv4, caller.host.ipv6].flatMap((address) =>
      [8080, 8081].map((port) => ({ address, port })),
    ),
  ];

  test('without the guard, the Engine leaves most of them open', () => {
    const closed = open.filter(({ is }) => is !== 'connected');
    expect(closed.length).toBeLessThan(open.length / 2);
    expect(open).toContainEqual({ address: caller.host.ipv6, port: 8080, is: 'connected' });
  });

  test('all are closed, of each network and each family, and by way of the proxy', async () => {
    const all = await outcomes(everyWay());
    expect(all.filter(({ is }) => is !== 'silence')).toEqual([]);
  });

  test('a registered service opens its port over both families, and nothing else', async () => {
    await host.register('plain', ipv6(plain), 80);
    await host.register('published', ipv4(published), 80);
    for (const [mode, workload] of byGateway) await host.register(mode, ipv6(workload), 80);
    await becomes(ipv6(plain), 80, 'connected');
    await becomes(caller.host.ipv4, 8080, 'connected');
    // Over IPv6 Docker's proxy answers for a container without IPv6.
    await becomes(caller.host.ipv6, 8080, 'connected');
    for (const workload of byGateway.values()) await becomes(ipv6(workload), 80, 'connected');
    const others = await outcomes(everyWay().filter(({ port }) => port % 10 === 1));
    expect(others.filter(({ is }) => is !== 'silence')).toEqual([]);
  });

  test('calls of containers over IPv6 go on', async () => {
    await outside.serve(90);
    const { outcome } = await plain.probe.reach(
      { protocol: 'tcp', address: caller.namespace.ipv6, port: 90 },
      2_000,
    );
    expect(outcome).toBe('ok');
  });

  test('a network made later is closed from the first packet of its first container', async () => {
    const network = workloads.nameOf('later');
    const subnet = ['--subnet', '172.31.251.0/24', '--ipv6', '--subnet', '2001:db8:ee::/64'];
    // No packet leaves this machine before the network exists.
    await onHost('ip', 'route', 'add', 'blackhole', '172.31.251.0/24', 'metric', '4000000000');
    const attempts: string[] = [];
    let isOver = false;
    const trying = (async () => {
      for (let n = 0; !isOver; n += 1) attempts.push(await outside.open(`l${n}`, '172.31.251.2', 80));
    })();
    await workloads.must(
      'network',
      'create',
      '--label',
      `egresstrator-test=${workloads.prefix}`,
      ...subnet,
      network,
    );
    const later = await workloads.run('later', { network });
    await later.probe.serve([80]);
    await waitFor(() => attempts.length > 3, { what: 'some attempts' });
    isOver = true;
    await trying;
    expect(attempts).not.toContain('connected');
    expect(await reach('2001:db8:ee::2', 80)).toBe('silence');
    await host.register('later', '172.31.251.2', 80);
    await becomes('172.31.251.2', 80, 'connected');
    await host.deregister('later');
  });

  test('an address that another container gets is closed to it', async () => {
    const first = await workloads.run('first', { args: ['--publish', '8090:80'] });
    await first.probe.serve([80]);
    await host.register('first', ipv4(first), 80);
    await becomes(ipv4(first), 80, 'connected');
    await host.deregister('first');
    await workloads.remove(first);
    const second = await workloads.run('second');
    await second.probe.serve([80]);
    expect(ipv4(second)).toBe(ipv4(first));
    await becomes(ipv4(second), 80, 'silence');
  });
});
