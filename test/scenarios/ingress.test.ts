/**
 * Who may reach a container follows from the ingress keys that it names, beside its egress rules and without them.
 */
import { expect, test, vi } from 'vitest';
import { factsOf, namespaceOf } from '../../src/daemon/facts.ts';
import { Metrics } from '../../src/daemon/metrics/metrics.ts';
import { keptIngress } from '../../src/daemon/override-results.ts';
import { createDiagnostics } from '../../src/diagnostics/diagnostics.ts';
import { pickNamespace } from '../../src/diagnostics/namespace-view.ts';
import type { IngressGate } from '../../src/features/ingress/gate.ts';
import { type Prefix, parsePrefix } from '../../src/net/address.ts';
import { container } from '../support/containers.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const alone = container('alone', { environment: ['EGRESSTRATOR_INGRESS=web'] });
const both = container('both', {
  environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db', 'EGRESSTRATOR_INGRESS=web,metrics'],
});
const empty = container('empty', { environment: ['EGRESSTRATOR_INGRESS='] });
const other = container('other');

const NO_CALLS = { calls: [], packets: 0, unlisted: 0, isFull: false };
const TEN = '10.0.0.0/8 . tcp . 8080';
const at = (address: string, port = 0) => ({ address, port, tags: [], node: 'n1' });

const statesOf = ({ controller }: FakeSetup) =>
  Object.fromEntries((controller.answers.status().ingress ?? []).map(({ target, state }) => [target, state]));
const reasonsOf = ({ controller }: FakeSetup): readonly string[] =>
  (controller.answers.status().ingress ?? []).flatMap(({ problems }) =>
    problems.map(({ key, reason }) => `${key ?? ''}: ${reason}`),
  );

test('a container that names no ingress key has no such rules, and Consul is not asked for any', async () => {
  const { consul, engine, kernel, rest, controller } = startFake();
  consul.put({ db: '10.0.0.1:tcp/80' });
  engine.run(other);
  await rest();
  expect(kernel.allowed(other, 'ingress')).toBeUndefined();
  expect(controller.answers.status().ingress).toBeUndefined();
  expect(consul.isAskedForIngress).toBe(false);
});

test('a question about ingress keys reads them from Consul although no container names one', async () => {
  const { consul, engine, rest, controller } = startFake();
  consul.put({ db: '10.0.0.1:tcp/80' });
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  engine.run(other);
  await rest();
  const nothing = { denied: async () => [], deniedCalls: async () => NO_CALLS };
  const services = {
    readService: async () => [],
    readCatalog: async () => ({ services: new Map(), unread: new Map() }),
    readIngressKeys: async () => consul.ingress ?? new Map(),
  };
  const folders = { kvPath: 'egress/acl/', ingressPath: 'ingress/acl/' };
  const diagnostics = createDiagnostics(factsOf(controller, nothing, services, folders));
  const { keys } = await diagnostics.keys({ direction: 'ingress' });
  expect(keys).toMatchObject([{ key: 'web', exists: true, rules: 1, destinations: 1, heldBy: [] }]);
  expect((await diagnostics.lint({ direction: 'ingress' })).findings).toMatchObject([{ code: 'unused-key' }]);
  expect((await diagnostics.lint({})).findings.map(({ direction }) => direction)).not.toContain('ingress');
  expect((await diagnostics.keys({})).keys.map(({ key }) => key)).toEqual(['db']);
});

test('keys let in callers by prefix and by service, with egress rules and without', async () => {
  const setup = startFake();
  const { consul, engine, kernel, rest } = setup;
  consul.put({ db: '10.0.0.1:tcp/80' });
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080', metrics: 'prometheus:tcp/9100' });
  consul.register('prometheus', [at('192.0.2.9', 9090)]);
  engine.run(alone, both, empty, other);
  await rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([TEN]);
  expect(kernel.allowed(alone)).toBeUndefined();
  expect(kernel.allowed(both, 'ingress')).toEqual([TEN, '192.0.2.9 . tcp . 9100']);
  expect(kernel.allowed(both)).toEqual(['10.0.0.1 . tcp . 80']);
  expect(kernel.allowed(empty, 'ingress')).toEqual([]);
  expect(kernel.allowed(other, 'ingress')).toBeUndefined();
  expect(statesOf(setup)).toEqual({ alone: 'protected', both: 'protected', empty: 'closed' });
  const about = { version: '0', loaders: ['helper'], denied: () => new Map() };
  const { text } = await new Metrics({ ...about, status: () => setup.controller.answers.status() }).render();
  expect(text).toContain('egresstrator_ingress_namespaces{state="protected"} 2');
  expect(text).toContain('egresstrator_ingress_namespaces{state="closed"} 1');
});

test('an edit and an instance that moves change its own rules, and nothing of egress', async () => {
  const setup = startFake();
  const { consul, engine, kernel, rest } = setup;
  consul.put({ db: '10.0.0.1:tcp/80' });
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080', metrics: 'prometheus:tcp/9100' });
  consul.register('prometheus', [at('192.0.2.9')]);
  engine.run(both);
  await rest();
  kernel.loads.length = 0;
  consul.register('prometheus', [at('192.0.2.10')]);
  await rest();
  expect(kernel.allowed(both, 'ingress')).toEqual([TEN, '192.0.2.10 . tcp . 9100']);
  consul.putIngress({ web: '', metrics: 'prometheus:tcp/9100' });
  await rest();
  expect(kernel.allowed(both, 'ingress')).toEqual(['192.0.2.10 . tcp . 9100']);
  expect(kernel.loads).toEqual(['both ingress', 'both ingress']);
});

test('an unknown key, a key without lines and a bad line let nobody in, and are reported', async () => {
  const setup = startFake();
  const { consul, engine, kernel, rest } = setup;
  consul.put({});
  consul.putIngress({ web: '# nobody yet\nprometheus' });
  engine.run(both);
  await rest();
  expect(kernel.allowed(both, 'ingress')).toEqual([]);
  expect(statesOf(setup)).toEqual({ both: 'closed' });
  expect(reasonsOf(setup)).toEqual([
    'ingress metrics: no such ingress key in Consul, so it grants nothing',
    'ingress web: expected a protocol and the container\'s own port after a service, got "prometheus" alone; write it as in prometheus:tcp/8080',
  ]);
});

test('while nothing is known nobody is let in, and what was known before counts after a restart', async () => {
  const [engine, kernel] = [new FakeEngine(), new FakeKernel()];
  engine.run(alone);
  const silent = new FakeConsul();
  silent.ingress = undefined;
  silent.put({});
  const first = startFake({ engine, kernel, consul: silent });
  await first.rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([]);
  expect(statesOf(first)).toEqual({ alone: 'pending' });
  silent.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  await first.rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([TEN]);
  await first.controller.close();

  const down = new FakeConsul();
  down.fail(new Error('Consul is down'));
  const previousState = first.persisted.at(-1);
  const again = new FakeKernel();
  const second = startFake({ engine, kernel: again, consul: down, ...(previousState && { previousState }) });
  await second.rest();
  expect(again.allowed(alone, 'ingress')).toEqual([TEN]);
});

/** A run that has loaded the rules of `alone`, and has ended. */
async function earlierRun() {
  const [engine, kernel, consul] = [new FakeEngine(), new FakeKernel(), new FakeConsul()];
  engine.run(alone);
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  const first = startFake({ engine, kernel, consul });
  await first.rest();
  await first.controller.close();
  return { engine, kernel, consul, first };
}

test('while Consul is lost, loaded rules stay', async () => {
  const { engine, kernel } = await earlierRun();
  const down = new FakeConsul();
  down.fail(new Error('Consul is down'));
  const second = startFake({ engine, kernel, consul: down });
  await second.rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([TEN]);
  expect(statesOf(second)).toEqual({ alone: 'pending' });
});

test('after a restart, rules that nobody changed are not loaded again, and others are repaired and reported', async () => {
  const { engine, kernel, consul, first } = await earlierRun();
  const previousIngressLoads = first.persistedIngressLoads.current;
  kernel.loads.length = 0;
  const second = startFake({ engine, kernel, consul, previousIngressLoads });
  await second.rest();
  expect([kernel.loads, second.drifts]).toEqual([[], []]);
  await second.controller.close();
  const [[id = '', text = ''] = []] = [...kernel.texts].filter(([name]) => name.endsWith(' ingress'));
  kernel.texts.set(id, text.replace('10.0.0.0/8', '0.0.0.0/0'));
  const third = startFake({ engine, kernel, consul, previousIngressLoads });
  await third.rest();
  expect([kernel.loads, third.drifts]).toEqual([['alone ingress'], ['alone']]);
});

test('containers that share a namespace share the callers', async () => {
  const { consul, engine, kernel, rest } = startFake();
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080', metrics: '192.0.2.7:tcp/9100' });
  const sidecar = container('sidecar', {
    environment: ['EGRESSTRATOR_INGRESS=metrics'],
    network: { kind: 'container', owner: 'alone' },
  });
  engine.run(alone, sidecar);
  await rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([TEN, '192.0.2.7 . tcp . 9100']);
});

test("a container in the host's own network is reported: anyone can reach it", async () => {
  const { consul, engine, controller, log, rest } = startFake();
  consul.put({});
  engine.run(container('loose', { environment: ['EGRESSTRATOR_INGRESS=web'], network: { kind: 'host' } }));
  await rest();
  expect(controller.answers.status().unsupported.map(({ name }) => name)).toEqual(['loose']);
  expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ container: 'loose', reason: expect.stringContaining('anyone can reach it') }),
  ]);
});

test('the status of one container has its ingress rules, also where it shares them, and an egress question says so', async () => {
  const { consul, engine, controller, rest } = startFake();
  consul.put({ db: '10.0.0.1:tcp/80' });
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  const sidecar = container('sidecar', { environment: [], network: { kind: 'container', owner: 'alone' } });
  engine.run(
    container('alone', { environment: ['EGRESSTRATOR_INGRESS=web'] }),
    sidecar,
    both,
    container('plain', { environment: [] }),
  );
  await rest();
  const statusOf = (word: string) => namespaceOf(controller, { status: (one) => one.answers.status() }, word);
  for (const word of ['alone', 'sidecar', alone.id])
    expect(statusOf(word)).toMatchObject({
      namespace: undefined,
      ingress: { workloads: ['alone'], target: 'alone', state: 'protected', keys: ['web'] },
    });
  expect(statusOf('both')).toMatchObject({
    namespace: { target: 'both', grants: ['db'] },
    ingress: { target: 'both', keys: ['metrics', 'web'] },
  });
  expect(() => statusOf('plain')).toThrow('no container "plain"');
  const snapshot = controller.answers.snapshot();
  expect(() => snapshot && pickNamespace(snapshot, 'alone')).toThrow(
    'alone names ingress keys and not EGRESSTRATOR_ENABLE=1: it may reach everything, and --in asks about its callers',
  );
});

test('clear leaves ingress rules, and tells of them', async () => {
  const setup = startFake();
  const { consul, engine, kernel, controller, rest } = setup;
  consul.put({ db: '10.0.0.1:tcp/80' });
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  engine.run(both, other);
  await rest();
  await controller.override([both, other], { kind: 'clear' });
  expect(kernel.allowed(both)).toBeUndefined();
  expect(kernel.allowed(both, 'ingress')).toEqual([TEN]);
  expect(keptIngress([both, other]).map(({ reason }) => reason)).toEqual([
    'the ingress rules of both stay: clear and set change egress rules alone; edit its ingress keys in Consul',
  ]);
});

test('a container that can undo the rules of the namespace is reported, whether it names keys or not', async () => {
  const setup = startFake();
  const { consul, engine, kernel, rest } = setup;
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  const privileged = container('privileged', {
    ...{ environment: [], canBypassRules: true, network: { kind: 'container', owner: 'alone' } },
  });
  engine.run(alone, privileged);
  await rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual([TEN]);
  expect(statesOf(setup)).toEqual({ alone: 'unenforceable' });
});

test('the controller is not ready while ingress keys may come in a moment, and waits no longer', async () => {
  const consul = new FakeConsul();
  consul.ingress = undefined;
  consul.put({});
  const { engine, controller } = startFake({ consul, grace: 400 });
  engine.run(container('app', { environment: ['EGRESSTRATOR_INGRESS=web'] }));
  await eventually(() => expect(consul.isAskedForIngress).toBe(true));
  expect(controller.answers.isReady).toBe(false);
  await vi.waitFor(() => expect(controller.answers.isReady).toBe(true), 10_000);
});

test('audit lets all pass and says so', async () => {
  const setup = startFake();
  const { consul, engine, kernel, rest } = setup;
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  engine.run(container('watched', { environment: ['EGRESSTRATOR_INGRESS=web', 'EGRESSTRATOR_MODE=audit'] }));
  await rest();
  expect(statesOf(setup)).toEqual({ watched: 'audit' });
  expect([...kernel.texts.values()].join()).toContain('recorded and let pass (audit)');
});

test('the gate gets a text for each list of keys that was seen, once the keys are known', async () => {
  const prepared: string[][] = [];
  const ingressGate: IngressGate = {
    loadedIngress: async () => undefined,
    prepareIngress: (texts) =>
      prepared.push(texts.map(({ keys, mode, text }) => `${keys} ${mode} ${text.includes('10.0.0.0/8')}`)),
  };
  const consul = new FakeConsul();
  consul.ingress = undefined;
  consul.put({});
  const { engine, rest } = startFake({ consul, ingressGate });
  engine.run(alone, both);
  await rest();
  expect(prepared.flat()).toEqual([]);
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  await rest();
  expect(prepared.at(-1)).toEqual(['web enforce true', 'metrics,web enforce true']);
  const times = prepared.length;
  engine.stop('alone');
  await rest();
  expect(prepared.length).toBe(times);
  consul.putIngress({ web: '' });
  await rest();
  expect(prepared.at(-1)).toEqual(['web enforce false', 'metrics,web enforce false']);
});

test('rules that the gate has loaded are not loaded again, if its record says which', async () => {
  let [text, recorded] = ['', ''];
  const ingressGate: IngressGate = {
    loadedIngress: async () => (recorded === '' ? undefined : recorded),
    prepareIngress: ([first]) => {
      text = first?.text ?? '';
    },
  };
  const setup = startFake({ ingressGate, prepareIngress: [['web']] });
  const { consul, engine, kernel, rest } = setup;
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  await rest();
  const start = async (startedAt: string) => {
    const started = { ...alone, startedAt };
    kernel.texts.set(`${alone.id}@${startedAt} ingress`, text);
    const before = kernel.loads.length;
    engine.run(started);
    await rest();
    expect(statesOf(setup)).toEqual({ alone: 'protected' });
    return kernel.loads.length - before;
  };
  // Without a record, somebody may have changed them.
  expect(await start('2026-01-02T00:00:00Z')).toBe(1);
  recorded = /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1] ?? '';
  expect(await start('2026-01-02T00:00:01Z')).toBe(0);
  recorded = '0badc0de';
  expect(await start('2026-01-02T00:00:02Z')).toBe(1);
});

test('the gate gets a text for keys that no container has named yet', async () => {
  const prepared: string[][] = [];
  const ingressGate: IngressGate = {
    loadedIngress: async () => undefined,
    prepareIngress: (texts) =>
      prepared.push(texts.map(({ keys, text }) => `${keys} ${text.includes('10.0.0.0/8')}`)),
  };
  const { consul, engine, rest, controller } = startFake({
    ingressGate,
    prepareIngress: [['web', 'later'], ['later']],
  });
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  engine.run(other);
  await rest();
  expect(prepared.at(-1)).toEqual(['later,web true', 'later false']);
  expect(controller.answers.status().ingress).toBeUndefined();
});

test('an instance that is a container of this host may call from its own addresses', async () => {
  const { consul, engine, kernel, rest } = startFake({ node: 'host-1' });
  consul.put({});
  consul.putIngress({ web: 'prometheus:tcp/9100' });
  const here = { address: '203.0.113.5', port: 9090, tags: [], node: 'HOST-1' };
  consul.register('prometheus', [here, { ...here, node: 'host-2', address: '203.0.113.6' }]);
  const binding = { protocol: 'tcp', containerPort: 9090, hostPort: 9090 } as const;
  const any = parsedPrefix('0.0.0.0/0');
  const attached = (address: string) => [
    { id: 'net', name: 'net', endpoint: address, ipv4: parsedPrefix(`${address}/32`), ipv6: undefined },
  ];
  const prometheus = container('prometheus', {
    networks: attached('172.18.0.7'),
    ports: [{ ...binding, host: any }],
  });
  const elsewhere = container('elsewhere', {
    networks: attached('172.18.0.8'),
    ports: [{ ...binding, host: parsedPrefix('203.0.113.99/32') }],
  });
  engine.run(alone, prometheus, elsewhere);
  await rest();
  const both = ['203.0.113.5 . tcp . 9100', '203.0.113.6 . tcp . 9100'];
  expect(kernel.allowed(alone, 'ingress')).toEqual(['172.18.0.7 . tcp . 9100', ...both]);
  const loads = kernel.loads.length;
  consul.putIngress({ web: 'prometheus:tcp/9100', other: '' });
  await rest();
  expect(kernel.loads).toHaveLength(loads);
  engine.stop('prometheus');
  await rest();
  expect(kernel.allowed(alone, 'ingress')).toEqual(both);
});

const parsedPrefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

test('rules go with the last container that names keys, and status, questions and the guard say so', async () => {
  const setup = startFake();
  const { consul, engine, kernel, controller, rest } = setup;
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  const owner = container('owner', { environment: [] });
  const sidecar = container('sidecar', {
    environment: ['EGRESSTRATOR_INGRESS=web'],
    network: { kind: 'container', owner: 'owner' },
  });
  engine.run(owner, sidecar);
  await rest();
  expect(statesOf(setup)).toEqual({ owner: 'protected' });
  engine.stop(sidecar.id);
  await rest();
  expect(kernel.allowed(owner, 'ingress')).toBeUndefined();
  expect(controller.answers.status().ingress).toBeUndefined();
  expect(controller.answers.ingressViews()).toEqual([]);
  expect(controller.answers.ingressNamespaces()).toEqual([]);
  engine.run(sidecar);
  await rest();
  expect(statesOf(setup)).toEqual({ owner: 'protected' });
  expect(kernel.allowed(owner, 'ingress')).toEqual([TEN]);
});

test('rules whose last container with keys went while no controller ran are removed', async () => {
  const owner = container('owner', { environment: [] });
  const sidecar = container('sidecar', {
    environment: ['EGRESSTRATOR_INGRESS=web'],
    network: { kind: 'container', owner: 'owner' },
  });
  const first = startFake();
  first.consul.put({});
  first.consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  first.engine.run(owner, sidecar);
  await first.rest();
  await first.controller.close();
  first.engine.stop(sidecar.id);
  const { consul, kernel } = first;
  const previousIngressLoads = new Map(first.persistedIngressLoads.current);
  const next = startFake({ consul, engine: first.engine, kernel, previousIngressLoads });
  await next.rest();
  expect(kernel.allowed(owner, 'ingress')).toBeUndefined();
  expect(next.controller.answers.status().ingress).toBeUndefined();
  expect(next.persistedIngressLoads.current.size).toBe(0);
});
