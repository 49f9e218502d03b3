/**
 * networks.json in a controller: what it makes in Docker, what gets into the host's rules, and what stays while the file
 * is half written or gone.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { DryRunDataplane } from '../../src/dataplane/dry-run.ts';
import { loadHostTemplate } from '../../src/features/host/render.ts';
import type { HostFacts } from '../../src/inventory/host-facts.ts';
import type { Subnet } from '../../src/inventory/network.ts';
import type { NetworkMaker, Watched } from '../../src/inventory/sources.ts';
import { formatPrefix, type Prefix } from '../../src/net/address.ts';
import { container } from '../support/containers.ts';
import { startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';
import { prefix } from '../support/host-claims.ts';
import { end, network } from '../support/host-inventory.ts';

const FILE = {
  networks: {
    front: { subnet: '10.1.0.0/24', gateway: '10.1.0.1' },
    back: { subnet: '10.2.0.0/24', gateway: '10.2.0.1' },
  },
  ips: {
    proxy: { ip: '10.1.0.2', container_name: 'proxy' },
    web: { ip: '10.2.0.2', container_name: 'web-1' },
  },
  policies: [{ selector: 'web1', from: 'proxy', port: 80, proto: 'tcp' }],
};

const PERMIT = '10.1.0.2 . 10.2.0.2 . tcp . 80';

class FakeFile implements Watched<string> {
  value: string | undefined;
  error: Error | undefined;
  confirmedAt: number | undefined;
  isClosed = false;
  onChange: () => void = () => {};
  write(value: string | Error): void {
    if (typeof value === 'string') this.value = value;
    this.error = typeof value === 'string' ? undefined : value;
    this.onChange();
  }
  close(): void {
    this.isClosed = true;
  }
}

/** Makes what it is asked for in the fake Engine. */
class FakeMaker implements NetworkMaker {
  readonly made: string[] = [];
  readonly stopped = new Set<string>();
  /** A container that has all addresses. */
  holder: string | undefined;
  /** The routes in a container. */
  routesIn: (container: string) => readonly string[] = () => [];
  failure: Error | undefined;
  readonly #engine: FakeEngine;
  constructor(engine: FakeEngine) {
    this.#engine = engine;
  }
  async find(name: string) {
    return [...this.#engine.networks.value.values()].find((one) => one.name === name);
  }
  async make(name: string, subnets: readonly Subnet[]) {
    if (this.failure !== undefined) throw this.failure;
    this.made.push(`network ${name} ${subnets.map(({ prefix }) => formatPrefix(prefix)).join()}`);
    const made = network(name, [], { subnets });
    this.#engine.networks.value = new Map(this.#engine.networks.value).set(name, made);
    this.#engine.run();
  }
  async hasContainer(name: string) {
    return this.stopped.has(name);
  }
  async staticHolderOf() {
    return this.holder;
  }
  async endOf(id: string, name: string) {
    return this.#engine.containers.get(id)?.networks.find((one) => one.name === name);
  }
  async attach(id: string, name: string, addresses: readonly Prefix[]) {
    if (this.failure !== undefined) throw this.failure;
    const known = this.#engine.containers.get(id);
    if (known === undefined) throw new Error('no such container');
    const [prefix = ''] = addresses.map((one) => formatPrefix(one).replace(/\d+$/, ''));
    if (this.routesIn(known.name).some((line) => line.startsWith(prefix)))
      throw new Error('conflicts with existing route');
    this.made.push(`${known.name} in ${name} ${addresses.map(formatPrefix).join()}`);
    this.#engine.run({ ...known, networks: [...known.networks, end(name, ...addresses.map(formatPrefix))] });
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Given {
  readonly text?: string | undefined;
  readonly previous?: string;
  readonly failure?: Error;
  readonly isDryRun?: boolean;
  readonly tellsAll?: boolean;
  readonly facts?: Partial<HostFacts>;
  /** What an earlier controller has left. */
  readonly left?: Left;
}

interface Left {
  readonly kernel: FakeKernel;
  readonly routes: Map<string, readonly string[]>;
  readonly inner: { current: ReadonlySet<string> };
}

function setup(given: Given = {}) {
  const { text = JSON.stringify(FILE), previous, failure, isDryRun = false, tellsAll = true, facts } = given;
  const { kernel, routes, inner }: Left = given.left ?? {
    ...{ kernel: new FakeKernel(), routes: new Map(), inner: { current: new Set() } },
  };
  const host: Mutable<HostFacts> = { devices: new Set(['eth0']), routes: [], forwards: [4], ...facts };
  const [consul, engine, file] = [new FakeConsul(), new FakeEngine(), new FakeFile()];
  const maker = new FakeMaker(engine);
  engine.tellsAll = tellsAll;
  maker.failure = failure;
  const loads: string[] = [];
  const kept: string[] = [];
  const ended: string[] = [];
  consul.put({});
  const hostDataplane = new DryRunDataplane((_, rules) => loads.push(rules));
  const fake = startFake({
    ...{ consul, engine, kernel, hostDataplane, networks: '/etc/networks.json' },
    networksPorts: {
      watchFile: (_path, onChange) => {
        file.onChange = onChange;
        if (text !== 'unread') file.value = text;
        return file;
      },
      networkMaker: isDryRun ? undefined : maker,
      hostFacts: facts
        ? {
            read: async () => structuredClone(host),
            forward: async () => {
              host.forwards = [4];
            },
          }
        : undefined,
      namespaceRoutes: {
        read: async ({ name }) => routes.get(name) ?? [],
        set: async ({ name }, lines) => {
          routes.set(name, lines);
          return lines;
        },
      },
      namespaceConnections: {
        loadedForwards: async () => [],
        endConnections: async ({ name }, lines) =>
          void ended.push(...lines.map((line) => `${name}: ${line}`)),
      },
      ...(previous !== undefined && { previousNetworks: previous }),
      persistNetworks: (one) => kept.push(one),
      previousInner: inner.current,
      persistInner: (all) => {
        inner.current = all;
      },
    },
    host: {
      ...{ guard: undefined, bridges: 'all', forwards: 'off', services: 'consul' },
      template: loadHostTemplate(),
    },
  });
  onTestFinished(() => fake.controller.close());
  const problems = () => fake.controller.answers.hostView().problems.map(({ reason }) => reason);
  return { ...fake, engine, file, maker, loads, kept, problems, routes, inner, ended, host, hostDataplane };
}

const PROXY = container('proxy', { networks: [] });
const WEB = container('web_1', { networks: [] });

test('what Docker lacks is made, networks first, and once', async () => {
  const { engine, maker, rest, log } = setup();
  engine.run(PROXY, WEB);
  await rest();
  await rest();
  expect(maker.made.slice(0, 2).sort()).toEqual(['network back 10.2.0.0/24', 'network front 10.1.0.0/24']);
  expect(maker.made.slice(2).sort()).toEqual(['proxy in front 10.1.0.2', 'web_1 in back 10.2.0.2']);
  expect(log.messages('info')).toEqual(
    expect.arrayContaining(['network made', 'container attached to a network']),
  );
});

test('a container that comes later, or comes again, is attached', async () => {
  const { engine, maker, rest } = setup();
  await rest();
  expect(maker.made).toHaveLength(2);
  engine.run(WEB);
  await rest();
  engine.run({ ...WEB, id: 'another', startedAt: '2026-03-03T00:00:00Z' });
  engine.stop(WEB.id);
  await rest();
  expect(maker.made.slice(2)).toEqual(['web_1 in back 10.2.0.2', 'web_1 in back 10.2.0.2']);
});

test('a container that the Engine never describes keeps no others waiting', async () => {
  const { engine, maker, loads } = setup({ tellsAll: false });
  engine.run(PROXY, WEB);
  await waitFor(() => maker.made.length === 4 && loads.at(-1)?.includes(PERMIT), { what: 'what is known' });
});

test('a container gets no address that another was given, which is started again', async () => {
  const { engine, maker, rest, problems } = setup();
  maker.holder = 'old-web';
  engine.run(WEB);
  await rest();
  expect(maker.made).toEqual(['network front 10.1.0.0/24', 'network back 10.2.0.0/24']);
  expect(problems()).toEqual([
    'ips.web: container "web_1" is not attached, as the container "old-web" was given 10.2.0.2 in the network "back" and could not start again without it; remove that container, or disconnect it from the network',
  ]);
  maker.holder = undefined;
  await rest();
  await rest();
  expect(maker.made.slice(2)).toEqual(['web_1 in back 10.2.0.2']);
});

test('a container gets no address of one that is started again, whose name is alike', async () => {
  const { engine, maker, rest, problems } = setup();
  maker.stopped.add('web-1');
  engine.run(PROXY, WEB);
  await rest();
  expect(maker.made).toEqual([
    ...['network front 10.1.0.0/24', 'network back 10.2.0.0/24', 'proxy in front 10.1.0.2'],
  ]);
  expect(problems()).toEqual([
    'ips.web: container "web_1" is not attached, as the entry names the container "web-1" too, which does not run; start or remove that, or name one of them alone',
  ]);
  maker.stopped.clear();
  await rest();
  await rest();
  expect(maker.made.at(-1)).toBe('web_1 in back 10.2.0.2');
});

test('a dry run makes nothing', async () => {
  const { engine, maker, rest, loads } = setup({ isDryRun: true });
  engine.run(PROXY);
  await rest();
  expect(maker.made).toEqual([]);
  expect(loads.at(-1)).toContain(PERMIT);
});

test('what cannot be made is tried again, and told meanwhile', async () => {
  const { maker, rest, problems, controller } = setup({ failure: new Error('no room') });
  await rest();
  controller.sync();
  await rest();
  expect(problems()).toEqual(expect.arrayContaining(['networks.front: no room', 'networks.back: no room']));
  maker.failure = undefined;
  await rest();
  await rest();
  expect(maker.made.sort()).toEqual(['network back 10.2.0.0/24', 'network front 10.1.0.0/24']);
  expect(problems()).toEqual([]);
});

test("policies are in the host's rules, and follow the file", async () => {
  const { file, rest, loads, kept } = setup();
  await rest();
  expect(loads.at(-1)).toContain(PERMIT);
  file.write(JSON.stringify({ ...FILE, policies: [] }));
  await rest();
  expect(loads.at(-1)).not.toContain('permits4');
  expect(kept).toHaveLength(2);
});

test('a bad entry is told, and the others count', async () => {
  const { rest, loads, problems } = setup({
    text: JSON.stringify({ ...FILE, policies: [{ ...FILE.policies[0], from: 'nobody' }, ...FILE.policies] }),
  });
  await rest();
  expect(loads.at(-1)).toContain(PERMIT);
  expect(problems()).toEqual([
    'networks.json: policies[0].from: "nobody" is neither an entry of ips, a network nor an address; add it, or write an address',
  ]);
});

test.each<readonly [string, string | Error, RegExp]>([
  ['half of it', JSON.stringify(FILE).slice(0, 200), /ends in the middle .*; the last good one counts$/],
  ['nothing', '', /is empty; the last good one counts$/],
  ['no file', new Error('the file cannot be read: ENOENT'), /ENOENT; the last good one counts$/],
])('with %s the last good file counts, and a moment later it is told', async (_, broken, reason) => {
  const { file, rest, loads, problems, kept } = setup();
  await rest();
  const before = loads.length;
  file.write(broken);
  await rest();
  expect(problems()).toEqual([]);
  await expect.poll(problems, { timeout: 20_000 }).toEqual([expect.stringMatching(reason)]);
  expect(loads).toHaveLength(before);
  file.write(JSON.stringify(FILE));
  await rest();
  expect(problems()).toEqual([]);
  expect([loads.length, kept.length]).toEqual([before, 1]);
});

test('a file that was broken before the start counts as it was in the previous run', async () => {
  const { rest, loads } = setup({ text: '{', previous: JSON.stringify(FILE) });
  await rest();
  expect(loads.at(-1)).toContain(PERMIT);
});

test('nothing is loaded until the file was read', async () => {
  const { file, rest, loads } = setup({ text: 'unread' });
  await rest();
  expect(loads).toEqual([]);
  file.write(new Error('the file cannot be read: ENOENT'));
  await rest();
  expect(loads).toHaveLength(1);
});

const VPN = container('vpn', { networks: [end('other', '10.9.0.5')] });
const INNER = { name: 'vpn', nat: 'dnat', to: 'web1', port: 90, proto: 'tcp' };

test('a port of a container leads elsewhere, again after each of its starts, until the policy goes', async () => {
  const { engine, kernel, file, rest, loads, ended } = setup({
    text: JSON.stringify({ ...FILE, policies: [INNER] }),
  });
  engine.networks.value.set('other', network('other', ['10.9.0.0/24']));
  engine.run(VPN);
  await rest();
  const nat = (startedAt = VPN.startedAt) => kernel.texts.get(`vpn@${startedAt} nat`);
  expect(nat()).toContain('tcp . 90 : 10.2.0.2 . 90');
  expect(loads.at(-1)).toContain('10.9.0.5 . 10.2.0.2 . tcp . 90');
  const again = '2026-04-04T00:00:00Z';
  engine.run({ ...VPN, startedAt: again });
  await rest();
  expect(nat(again)).toBe(nat());
  expect(ended).toEqual([]);
  file.write(JSON.stringify({ ...FILE, policies: [] }));
  await rest();
  expect(nat(again)).toBeUndefined();
  expect(loads.at(-1)).not.toContain('10.9.0.5');
  expect(ended).toEqual(['vpn: tcp 90 10.2.0.2 90']);
});

test('what a policy has put into containers is removed after it went while no controller ran', async () => {
  const vpn = container('vpn', { networks: [end('other', '10.9.0.5'), end('inside', '10.3.0.5')] });
  const begin = (policies: readonly object[], left?: Left) => {
    const setting = setup({ text: JSON.stringify({ ...FILE, policies }), ...(left && { left }) });
    for (const [name, subnet] of [
      ['other', '10.9.0.0/24'],
      ['inside', '10.3.0.0/24'],
    ] as const)
      setting.engine.networks.value.set(name, network(name, [subnet]));
    setting.engine.run(vpn);
    return setting;
  };
  const before = begin([INNER]);
  await before.rest();
  const nat = `vpn@${vpn.startedAt} nat`;
  expect(before.kernel.texts.has(nat)).toBe(true);
  expect(before.routes.get('vpn')).toContainEqual(expect.stringContaining('10.2.0.2 via'));
  await before.controller.close();
  const after = begin([], before);
  await after.rest();
  expect(after.kernel.texts.has(nat)).toBe(false);
  expect(after.routes.get('vpn')).toEqual([]);
});

test("it does not wait for the host's rules, and a namespace that is new is not read before its first load", async () => {
  const { engine, kernel, rest, hostDataplane } = setup({
    text: JSON.stringify({ ...FILE, policies: [INNER] }),
  });
  engine.networks.value.set('other', network('other', ['10.9.0.0/24']));
  engine.run(VPN);
  await rest();
  const read = vi.spyOn(kernel, 'inspect');
  const load = hostDataplane.load.bind(hostDataplane);
  const goOn = Promise.withResolvers<void>();
  const held = vi.spyOn(hostDataplane, 'load').mockImplementation(async (...how) => {
    await goOn.promise;
    return load(...how);
  });
  onTestFinished(() => goOn.resolve());
  const again = '2026-04-04T00:00:00Z';
  engine.run({ ...VPN, startedAt: again, networks: [end('other', '10.9.0.6')] });
  await waitFor(() => held.mock.calls.length > 0 && kernel.texts.has(`vpn@${again} nat`), {
    what: 'both loads',
  });
  expect(read).not.toHaveBeenCalled();
  goOn.resolve();
  await rest();
});

test('each entry has a state, and what fails its reason and its next try', async () => {
  const { engine, maker, rest, controller, file } = setup({
    text: JSON.stringify({
      ...{ ...FILE, networks: { ...FILE.networks, bad: { subnet: '10.7.0.1/24' } } },
      policies: [...FILE.policies, { ...FILE.policies[0], from: 'nobody' }, INNER],
    }),
    failure: new Error('no room'),
  });
  engine.networks.value.set('other', network('other', ['10.9.0.0/24']));
  engine.run(PROXY);
  await rest();
  const states = () => {
    const {
      networks = [],
      attachments = [],
      policies = [],
      routes = [],
    } = controller.answers.status().networks ?? {};
    return [networks, attachments, policies, routes].map((all) =>
      all.map(({ path, state }) => `${path} ${state}`),
    );
  };
  expect(states()).toEqual([
    ['networks.front failed', 'networks.back failed', 'networks.bad invalid'],
    ['ips.proxy failed', 'ips.web waiting'],
    ['policies[0] applied', 'policies[1] invalid', 'policies[2] waiting'],
    [],
  ]);
  const { failing = [], path, error } = controller.answers.status().networks ?? {};
  expect([path, error]).toEqual(['/etc/networks.json', undefined]);
  expect(failing).toContainEqual({ name: 'networks.front', reason: 'no room', retryAt: expect.any(Number) });
  expect(controller.answers.networksErrors).toBe(failing.length + 2);
  maker.failure = undefined;
  engine.run(WEB, VPN);
  for (const _ of [1, 2, 3]) await rest();
  expect(states()[2]).toEqual(['policies[0] applied', 'policies[1] invalid', 'policies[2] applied']);
  expect(states()[3]).toEqual(['the routes of vpn applied']);
  file.write(JSON.stringify(FILE));
  await rest();
  expect(controller.answers.networksErrors).toBe(0);
});

test('a container is attached to a network into which it had a route', async () => {
  const { engine, file, maker, rest, routes, log } = setup({
    text: JSON.stringify({ ...FILE, policies: [INNER] }),
  });
  maker.routesIn = (name) => routes.get(name) ?? [];
  engine.networks.value.set('other', network('other', ['10.9.0.0/24']));
  engine.run(VPN);
  await rest();
  expect(routes.get('vpn')).toContain('10.2.0.2 via 10.9.0.1');
  const ips = { ...FILE.ips, vpn: { ip: '10.2.0.9', container_name: 'vpn' } };
  file.write(JSON.stringify({ ...FILE, ips, policies: [INNER] }));
  await rest();
  expect(maker.made.at(-1)).toBe('vpn in back 10.2.0.9');
  expect(routes.get('vpn')).toEqual(['forward ipv4']);
  expect(log.messages('error')).not.toContain('container could not be attached to a network; trying again');
});

test('routes are made in the namespace, and removed with the policy', async () => {
  const { engine, file, rest, routes } = setup({ text: JSON.stringify({ ...FILE, policies: [INNER] }) });
  engine.networks.value.set('other', network('other', ['10.9.0.0/24']));
  engine.run(VPN);
  await rest();
  expect(routes.get('vpn')).toEqual(['10.2.0.2 via 10.9.0.1', 'forward ipv4']);
  routes.set('vpn', ['10.7.0.0/24 via 10.9.0.1', 'forward ipv4']);
  engine.run({ ...VPN, startedAt: '2026-04-04T00:00:00Z' });
  await rest();
  expect(routes.get('vpn')).toEqual(['10.2.0.2 via 10.9.0.1', 'forward ipv4']);
  file.write(JSON.stringify({ ...FILE, policies: [] }));
  await rest();
  expect(routes.get('vpn')).toEqual([]);
});

test("a network that would take addresses of this host's own routes is not made, until the route is gone", async () => {
  const { engine, maker, rest, problems, host, controller } = setup({
    facts: { routes: [{ prefix: prefix('10.2.0.0/16'), device: 'wg0' }] },
  });
  await rest();
  expect(maker.made).toEqual(['network front 10.1.0.0/24']);
  expect(problems()).toContainEqual(expect.stringMatching(/^networks.json: networks.back.subnet: .* wg0/));
  host.routes = [];
  engine.networks.value = new Map(engine.networks.value);
  engine.run();
  await rest();
  await rest();
  expect(maker.made).toEqual(['network front 10.1.0.0/24', 'network back 10.2.0.0/24']);
  expect(controller.answers.status().host?.problems).toEqual([]);
});

test('a host that does not forward does so from then on', async () => {
  const { rest, host, file } = setup({
    ...{ facts: { forwards: [] }, text: JSON.stringify({ ...FILE, policies: [] }) },
  });
  await rest();
  expect(host.forwards).toEqual([]);
  file.write(JSON.stringify(FILE));
  await rest();
  expect(host.forwards).toEqual([4]);
});
