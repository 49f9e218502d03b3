/**
 * The host's rules in a controller: what it tells of them, and ports that are opened and closed by hand.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { formatHost } from '../../src/cli/format/host.ts';
import { formatPort } from '../../src/cli/format/ports.ts';
import type { LastKnownState } from '../../src/daemon/consul-cache.ts';
import { setPort } from '../../src/daemon/set-port.ts';
import { DryRunDataplane } from '../../src/dataplane/dry-run.ts';
import { hostAnswer } from '../../src/diagnostics/host-view.ts';
import { lintHost } from '../../src/diagnostics/lint-host.ts';
import type { HostOptions } from '../../src/features/host/host.ts';
import type { PersistedPorts } from '../../src/features/host/port-overrides.ts';
import { loadHostTemplate } from '../../src/features/host/render.ts';
import type { Container } from '../../src/inventory/container.ts';
import type { EngineRules } from '../../src/inventory/engine-rules.ts';
import { container } from '../support/containers.ts';
import { eventually } from '../support/eventually.ts';
import { startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine } from '../support/fakes.ts';
import { prefix } from '../support/host-claims.ts';

const WEB = container('web', {
  networks: [
    { ...{ id: 'a', name: 'a', endpoint: 'e' }, ...{ ipv4: prefix('172.18.0.2'), ipv6: undefined } },
  ],
  ports: [{ host: prefix('0.0.0.0/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 }],
});

const NETWORK = {
  ...{ id: 'a', name: 'a', driver: 'bridge', isInternal: false, bridge: 'br-a', options: {} },
  subnets: [{ prefix: prefix('172.18.0.0/16'), gateway: undefined }],
};

const IPV6_ALONE = { mode: 'enforce', families: [6], isBetween: false } as const;

interface Circumstances {
  readonly tellsAll?: boolean;
  /** The node. */
  readonly servicesOf?: string;
  readonly web?: Container;
  readonly state?: LastKnownState | undefined;
  readonly consulError?: Error;
  readonly grace?: number;
  readonly readEngineRules?: () => Promise<EngineRules>;
}

function setup(
  previousPorts?: PersistedPorts,
  given: Partial<HostOptions> = {},
  { servicesOf = 'n1', web = WEB, tellsAll = true, ...previous }: Circumstances = {},
) {
  const [consul, engine] = [new FakeConsul(), new FakeEngine()];
  engine.tellsAll = tellsAll;
  const loads: string[] = [];
  /** What is told of the rules while they are being loaded. */
  const states: string[] = [];
  const kept: PersistedPorts[] = [];
  consul.put({});
  consul.error = previous.consulError;
  engine.networks.value.set('a', NETWORK);
  engine.run(web);
  const fake = startFake({
    ...{ consul, engine, servicesOf, previousPorts, readEngineRules: previous.readEngineRules },
    ...(previous.state && { previousState: previous.state }),
    ...(previous.grace !== undefined && { grace: previous.grace }),
    hostDataplane: new DryRunDataplane((_, text) => {
      states.push(fake.controller.answers.hostView().state);
      loads.push(text);
    }),
    persistPorts: (ports) => kept.push(ports),
    host: {
      guard: { mode: 'enforce', families: [4], isBetween: false },
      ...{ bridges: 'all', forwards: 'off', services: 'consul', template: loadHostTemplate(), ...given },
    },
  });
  const open = () =>
    hostAnswer(fake.controller.answers.hostView()).openings.map(({ port, from }) => `${port} ${from}`);
  onTestFinished(() => fake.controller.close());
  return { ...fake, consul, engine, loads, states, kept, open };
}

const ask = (port: number, rule: Parameters<typeof setPort>[1]['rule']) =>
  ({ container: 'web', protocol: 'tcp', port, rule }) as const;

test('it tells what is loaded, and which published ports are closed', async () => {
  const { controller, consul, rest, open } = setup();
  await rest();
  expect(controller.answers.status().host).toMatchObject({
    state: 'loaded',
    openings: 0,
    closed: 1,
    forwards: 0,
  });
  consul.registerOnNode({
    registration: 'web',
    name: 'web',
    address: prefix('172.18.0.2'),
    port: 80,
    protocol: 'tcp',
  });
  await rest();
  expect(controller.answers.status().host).toMatchObject({ state: 'loaded', openings: 1, closed: 0 });
  expect(open()).toEqual(['80 anyone']);
});

const named = (environment: readonly string[], traits: Partial<Container> = {}) => ({
  web: { ...WEB, environment: ['EGRESSTRATOR_INGRESS=web', ...environment], ...traits },
});

test('callers that an ingress key names pass the guard to published ports, and nobody else', async () => {
  const { consul, loads, open, rest, controller } = setup(undefined, {}, named([]));
  consul.putIngress({ web: '198.51.100.0/24:tcp/80\nprobe:tcp/80' });
  consul.register('probe', [{ address: '192.0.2.9', port: 0, tags: [], node: 'n2' }]);
  await rest();
  expect(open()).toEqual(['80 192.0.2.9,198.51.100.0/24']);
  expect(controller.answers.hostView().rules?.openings[0]?.origin.text).toBe('the ingress keys of web (web)');
  consul.registerOnNode({
    registration: 'web',
    name: 'web',
    ...{ address: prefix('172.18.0.2'), port: 80, protocol: 'tcp' },
  });
  await rest();
  expect(open()).toEqual(['80 192.0.2.9,198.51.100.0/24']);
  const count = loads.length;
  controller.sync();
  await rest();
  expect(loads).toHaveLength(count);
  consul.register('probe', []);
  await rest();
  expect(open()).toEqual(['80 198.51.100.0/24']);
  consul.putIngress({});
  await rest();
  expect(open()).toEqual([]);
  expect(lintHost(controller.answers.hostView()).map(({ reason }) => reason)).toEqual([
    expect.stringMatching(
      /the ports guard closes it: nobody is let in there by the ingress keys of web \(web\)$/,
    ),
  ]);
});

test('an ingress key that only the image names opens nothing in the guard', async () => {
  const image = { environment: ['EGRESSTRATOR_INGRESS=web'], labels: {} };
  const { consul, open, rest } = setup(undefined, {}, named([], { image }));
  consul.putIngress({ web: '198.51.100.0/24:tcp/80' });
  await rest();
  expect(open()).toEqual([]);
  consul.registerOnNode({
    registration: 'web',
    name: 'web',
    ...{ address: prefix('172.18.0.2'), port: 80, protocol: 'tcp' },
  });
  await rest();
  expect(open()).toEqual(['80 198.51.100.0/24']);
});

test('after a restart the guard is not loaded without callers that are known in a moment', async () => {
  const { consul, loads, open, rest } = setup(undefined, {}, { ...named([]), grace: 10_000 });
  consul.ingress = undefined;
  await new Promise((resolve) => setTimeout(resolve, 20));
  consul.putIngress({ web: 'probe:tcp/80' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  consul.register('probe', [{ address: '192.0.2.9', port: 0, tags: [], node: 'n2' }]);
  await rest();
  expect(open()).toEqual(['80 192.0.2.9']);
  expect(loads.filter((text) => !text.includes('192.0.2.9'))).toEqual([]);
});

test('while ingress keys cannot be read the guard lets nobody to their container, and others follow', async () => {
  const { consul, engine, loads, open, rest } = setup(undefined, {}, named([]));
  consul.ingress = undefined;
  consul.registerOnNode(
    { registration: 'web', name: 'web', ...{ address: prefix('172.18.0.2'), port: 80, protocol: 'tcp' } },
    { registration: 'db', name: 'db', ...{ address: prefix('172.18.0.3'), port: 90, protocol: 'tcp' } },
  );
  const attached = { id: 'a', name: 'a', endpoint: 'f', ipv4: prefix('172.18.0.3'), ipv6: undefined };
  engine.run(...engine.containers.values(), container('db', { networks: [attached] }));
  await eventually(() => expect(open()).toEqual(['90 anyone']));
  await rest();
  expect(loads.at(-1)).not.toContain('172.18.0.2 . tcp . 80');
});

test('a container of which the Engine tells nothing for ever keeps no port of others open', async () => {
  const begun = Date.now();
  const { controller, loads } = setup(undefined, {}, { tellsAll: false });
  await vi.waitFor(
    () => expect(controller.answers.status().host).toMatchObject({ state: 'loaded', closed: 1 }),
    10_000,
  );
  // Ten times the fake controller's grace of 20 ms.
  expect(Date.now() - begun).toBeGreaterThanOrEqual(200);
  expect(loads).toHaveLength(1);
});

test('a controller that starts without Consul follows containers, by the last known services', async () => {
  const first = setup();
  await first.rest();
  first.consul.registerOnNode({
    ...{ registration: 'web', name: 'web', address: prefix('172.18.0.2') },
    ...{ port: 80, protocol: 'tcp' },
  });
  await first.rest();
  expect(first.open()).toEqual(['80 anyone']);
  const away = { state: first.persisted.at(-1), consulError: new Error('no answer') };

  const same = setup(undefined, {}, away);
  await same.rest();
  expect(same.open()).toEqual(['80 anyone']);

  const networks = [
    { ...{ id: 'a', name: 'a', endpoint: 'f' }, ipv4: prefix('172.18.0.3'), ipv6: undefined },
  ];
  const moved = setup(undefined, { forwards: 'on' }, { ...away, web: { ...WEB, networks } });
  await moved.rest();
  expect(moved.open()).toEqual([]);
  expect(hostAnswer(moved.controller.answers.hostView()).forwards).toMatchObject([
    { port: 8080, to: '172.18.0.3' },
  ]);

  const otherNode = setup(undefined, {}, { ...away, servicesOf: 'n2' });
  await otherNode.rest();
  expect(otherNode.loads).toEqual([]);
  // What an earlier run has loaded is in the kernel meanwhile.
  const output = formatHost(hostAnswer(otherNode.controller.answers.hostView()), 0, (_, text) => text);
  expect(output).toContain('rules        not known');
});

test('a problem is logged once when it comes, and once when it goes', async () => {
  const { controller, consul, log, rest } = setup();
  consul.registerOnNode({
    registration: 'old',
    name: 'old',
    address: prefix('172.18.0.9'),
    port: 80,
    protocol: 'tcp',
  });
  await rest();
  controller.sync();
  await rest();
  expect(controller.answers.status().host?.problems).toHaveLength(1);
  expect(log.messages('warn')).toEqual(['problem found']);
  consul.registerOnNode();
  await rest();
  expect(log.messages('info')).toContain('problem solved');
});

test('networks that cannot be read are a failing source', async () => {
  const { controller, engine, rest } = setup();
  Object.assign(engine.networks, { error: new Error('networks cannot be listed') });
  await rest();
  expect(controller.answers.status().sources).toContainEqual(
    expect.objectContaining({ name: 'networks', error: 'networks cannot be listed' }),
  );
  expect(hostAnswer(controller.answers.hostView()).unread).toEqual(['networks cannot be listed']);
});

test('a failure to read the Engine’s own rules is told, as nothing is loaded without them', async () => {
  const { controller, log, rest, loads } = setup(
    undefined,
    { forwards: 'auto' },
    {
      readEngineRules: () => Promise.reject(new Error('nft does not start')),
    },
  );
  await rest();
  await eventually(() =>
    expect(controller.answers.hostView().unread).toEqual([expect.stringMatching(/nft does not start$/)]),
  );
  expect(controller.answers.hostView().state).toBe('pending');
  expect(loads).toEqual([]);
  const reported = () =>
    log.lines.filter(({ fields }) => JSON.stringify(fields).includes('nft does not start'));
  await eventually(() => expect(reported()).toMatchObject([{ level: 'error', message: 'problem found' }]));
});

test('changed rules are loaded only when the kernel has them', async () => {
  const { controller, rest, states } = setup();
  await rest();
  await setPort(controller, ask(81, { kind: 'open', from: 'anyone' }));
  expect(states).toEqual(['pending', 'pending']);
  expect(controller.answers.hostView().state).toBe('loaded');
});

test('a port opened by hand is loaded and kept, and another run knows it', async () => {
  const { controller, rest, open, kept, loads } = setup();
  await rest();
  const reply = await setPort(controller, ask(81, { kind: 'open', from: ['198.51.100.0/24'] }));
  expect(reply).toMatchObject({ state: 'loaded', openings: [{ port: 81, from: ['198.51.100.0/24'] }] });
  expect(loads.at(-1)).toContain('172.18.0.2 . tcp . 81 . 198.51.100.0/24');
  const again = setup(kept.at(-1));
  await again.rest();
  expect(again.open()).toEqual(open());
  await setPort(again.controller, ask(81, { kind: 'own' }));
  expect(again.open()).toEqual([]);
});

test.each([
  [
    'a container that does not run',
    { ...ask(81, { kind: 'close' }), container: 'none' },
    /no running container/,
  ],
  [
    'a prefix with host bits',
    ask(81, { kind: 'open', from: ['198.51.100.1/24'] }),
    /write 198\.51\.100\.0\/24/,
  ],
  ['a word for a prefix', ask(81, { kind: 'open', from: ['everybody'] }), /--from: expected an IP address/],
])('%s opens nothing', async (_what, request, reason) => {
  const { controller, rest, open } = setup();
  await rest();
  await expect(setPort(controller, request)).rejects.toThrow(reason);
  expect(open()).toEqual([]);
});

test('a port that Docker’s proxy leads to in the guarded family is told as open', async () => {
  const { controller, engine, rest } = setup(undefined, { guard: IPV6_ALONE });
  engine.run({ ...WEB, ports: WEB.ports.map((one) => ({ ...one, host: prefix('::/0') })) });
  await rest();
  const reply = await setPort(controller, ask(80, { kind: 'open', from: 'anyone' }));
  expect(formatPort(reply)).toBe('web: tcp/80 is open at 172.18.0.2 for anyone: opened by hand (web)');
  const closed = await setPort(controller, ask(80, { kind: 'close' }));
  expect(formatPort(closed)).toBe('web: tcp/80 is closed to calls by IPv6');
});

test.each([
  ['of another family', { guard: IPV6_ALONE }, /no published port of IPv6, .*so all its ports are open$/],
  ['on a bridge that is not', { bridges: ['docker0'] }, /on no guarded bridge .*so all its ports are open$/],
] as const)('a container %s is not guarded, which is said', async (_where, given, reason) => {
  const { controller, rest } = setup(undefined, given);
  await rest();
  for (const rule of [{ kind: 'open', from: 'anyone' }, { kind: 'close' }] as const)
    await expect(setPort(controller, ask(80, rule))).rejects.toThrow(reason);
  await setPort(controller, ask(80, { kind: 'own' }));
});

test('without a guard nothing is opened by hand', async () => {
  const { controller, rest } = startFake();
  await rest();
  expect(controller.answers.hostView().state).toBe('off');
  expect(controller.answers.status().host).toBeUndefined();
  await expect(setPort(controller, ask(80, { kind: 'close' }))).rejects.toThrow(/guards no ports/);
});
