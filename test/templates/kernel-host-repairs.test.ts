/**
 * The host's rules as the controller keeps them on a real kernel, while other programs change rules.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import { waitFor } from '../../lab/wait.ts';
import { HostRules, type HostRulesOptions } from '../../src/daemon/host-rules.ts';
import { createHostDataplane } from '../../src/dataplane/create-dataplane.ts';
import { createOtherFirewalls } from '../../src/dataplane/other-firewalls.ts';
import { followProgram } from '../../src/dataplane/run-program.ts';
import { argumentsOf, programOf } from '../../src/dataplane/runner.ts';
import { loadHostTemplate } from '../../src/features/host/render.ts';
import { ALL_FRESH } from '../../src/inventory/ages.ts';
import type { Container } from '../../src/inventory/container.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { HOST, type HostNamespace } from '../../src/inventory/namespace.ts';
import type { Network, PortBinding } from '../../src/inventory/network.ts';
import { Reconciler } from '../../src/reconciler/reconciler.ts';
import { container } from '../support/containers.ts';
import { FakeKernel, FakeLog } from '../support/fakes.ts';
import { prefix } from '../support/host-claims.ts';
import { PORT, useHost } from './host-fixture.ts';

await ensureCommands({ iptables: 'iptables', conntrack: 'conntrack' });
const { agents, containers, host } = await useHost();

const pathOf = (name: string) => fileURLToPath(new URL(`../../dataplane/${name}`, import.meta.url));
const runner: Parameters<typeof createOtherFirewalls>[0] = {
  run: (command, stdin) =>
    host.run(
      'sh',
      [pathOf(programOf(command)), ...argumentsOf(command)],
      stdin === undefined ? {} : { input: stdin },
    ),
  follow: async (command, onLine, signal) => {
    const [file = '', ...args] = [...host.prefix, 'sh', pathOf(programOf(command)), ...argumentsOf(command)];
    await followProgram({ file, args, onLine, signal });
  },
};

const NETWORK: Network = {
  ...{ id: 'a', name: 'a', driver: 'bridge', isInternal: false, bridge: 'br-a', options: {} },
  subnets: [{ prefix: prefix('172.29.1.0/24'), gateway: undefined }],
};

const port = (hostPort: number, protocol: PortBinding['protocol'] = 'tcp'): PortBinding => ({
  ...{ host: prefix('0.0.0.0/0'), hostPort, containerPort: PORT, protocol },
});

const published = (name: 'a1' | 'a2', ...ports: readonly PortBinding[]): Container =>
  container(name, {
    networks: [
      { ...{ id: 'a', name: 'a', endpoint: name, ipv4: prefix(containers[name].ipv4) }, ipv6: undefined },
    ],
    ports,
  });

const inventory = (...running: readonly Container[]): Inventory => {
  const namespace: HostNamespace = { kind: 'host', id: HOST, inside: [] };
  return {
    containers: new Map(running.map((one) => [one.id, one])),
    ...{ isComplete: true, namespaces: new Map([[HOST, namespace]]), networks: new Map([['a', NETWORK]]) },
    consul: {
      ...{ rules: undefined, services: new Map(), ages: ALL_FRESH },
      awaited: { rules: false, services: new Set() },
    },
  };
};

const log = new FakeLog();
const retry = { first: 100, most: 1_000 };
const timing = { retry, random: () => 0.5, now: () => performance.now() };
const reconciler = new Reconciler({
  ...{ ...timing, concurrency: 2, driftInterval: 3_600_000 },
  onDefect: (error) => log.error({ error: String(error) }, 'defect'),
});
const OPTIONS: HostRulesOptions = {
  ...timing,
  grace: 1_000,
  host: {
    guard: undefined,
    bridges: 'all',
    services: 'consul',
    forwards: 'on',
    template: loadHostTemplate(),
  },
};
const rules = new HostRules(OPTIONS, reconciler, {
  ...{ dataplane: new FakeKernel(), hostDataplane: createHostDataplane(runner), log },
  otherFirewalls: createOtherFirewalls(runner),
  requestSync: () => {},
});
const sync = async (...running: readonly Container[]) => {
  rules.sync(inventory(...running));
  await reconciler.idle();
};

const becomes = (what: string, look: () => Promise<boolean>) => waitFor(look, { what, timeout: 20_000 });
const isOpen = async (one = 80) => (await agents.outside.open('x', host.ipv4, one)) === 'connected';
const firstRule = async (chain: string) =>
  (await host.run('iptables-nft', ['-S', chain])).stdout.split('\n').find((line) => line.startsWith('-A'));
const isFirst = async (chain: string) =>
  (await firstRule(chain))?.includes('--comment egresstrator') === true;

beforeAll(async () => {
  await host.run('iptables-nft', ['-P', 'FORWARD', 'DROP']);
  // Another program translates, so the kernel knows before the first load where a stream goes.
  const elsewhere = ['-s', '192.0.2.1', '-j', 'DNAT', '--to-destination', '192.0.2.2'];
  await host.run('iptables-nft', ['-t', 'nat', '-A', 'PREROUTING', ...elsewhere]);
  expect(await agents.outside.ask(host.ipv4, 53, 4302)).not.toBe('hello');
  await sync(published('a1', port(80), port(53, 'udp')));
});
afterAll(async () => {
  await reconciler.close();
  await rules.close();
});

it('forwards pass a policy that drops', async () => {
  expect(await isOpen()).toBe(true);
  expect(await isFirst('FORWARD')).toBe(true);
});

it('a stream of datagrams that began before the first load takes its forward', async () => {
  await becomes(
    'the stream to be forwarded',
    async () => (await agents.outside.ask(host.ipv4, 53, 4302)) === 'hello',
  );
});

it('a flush of all rules is repaired at once, with what drops there too', async () => {
  await becomes('the watch to hear', async () => {
    await host.run('nft', ['flush', 'ruleset']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    return isOpen();
  });
  await host.run('iptables-nft', ['-P', 'FORWARD', 'DROP']);
  await host.run('iptables-nft', ['-A', 'FORWARD', '-s', '192.0.2.1', '-j', 'DROP']);
  await becomes('the passage to be first', () => isFirst('FORWARD'));
  await becomes('the forward to be back', () => isOpen());
});

it('a passage follows the chain of the Engine, and comes back when that is flushed', async () => {
  await host.run('iptables-nft', ['-N', 'DOCKER-USER']);
  await host.run('iptables-nft', ['-I', 'FORWARD', '-j', 'DOCKER-USER']);
  await becomes('the passage to move', () => isFirst('DOCKER-USER'));
  await host.run('iptables-nft', ['-F', 'DOCKER-USER']);
  await becomes('the passage to be back', () => isFirst('DOCKER-USER'));
  await host.run('iptables-nft', ['-I', 'DOCKER-USER', '-j', 'DROP']);
  await becomes('the passage to be first', () => isFirst('DOCKER-USER'));
  expect(await isOpen()).toBe(true);
});

it('a stream of datagrams follows a port that moves, and a connection ends with its port', async () => {
  expect(await agents.outside.open('ends', host.ipv4, 80)).toBe('connected');
  expect(await agents.outside.ask(host.ipv4, 53, 4300)).toBe('hello');
  await Promise.all([agents.a1.received(), agents.a2.received()]);
  await sync(published('a2', port(53, 'udp')));
  await becomes('the stream to follow', async () => {
    await agents.outside.ask(host.ipv4, 53, 4300);
    return (await agents.a2.received()) !== '';
  });
  await becomes('the connection to end', async () => (await agents.outside.talk('ends')) !== 'hello');
});

it('what an earlier run has forwarded is known from the kernel', async () => {
  await sync(published('a1', port(53, 'udp')));
  await agents.outside.ask(host.ipv4, 53, 4301);
  const later = new Reconciler({ ...timing, concurrency: 2, driftInterval: 3_600_000, onDefect: () => {} });
  const again = new HostRules(OPTIONS, later, {
    ...{ dataplane: new FakeKernel(), hostDataplane: createHostDataplane(runner), log },
    otherFirewalls: createOtherFirewalls(runner),
    requestSync: () => {},
  });
  try {
    again.sync(inventory(published('a2', port(53, 'udp'))));
    await later.idle();
    await agents.a2.received();
    await becomes('the stream to follow', async () => {
      await agents.outside.ask(host.ipv4, 53, 4301);
      return (await agents.a2.received()) !== '';
    });
  } finally {
    await later.close();
    await again.close();
  }
});

it('a chain that drops is a problem with the rule to add', async () => {
  const input = 'table inet strict { chain f { type filter hook forward priority 10; policy drop; }; }';
  await host.run('nft', ['-f', '-'], { input });
  await host.run('iptables-nft', ['-I', 'FORWARD', '-s', '192.0.2.2', '-j', 'DROP']);
  await becomes('the problem', async () =>
    rules.status().problems.some(({ reason }) => reason.includes('`nft insert rule inet strict f ')),
  );
});
