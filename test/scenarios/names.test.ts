/** Namespaces with rules by name: who answers there, and when their texts are loaded. */
import { describe, expect, test } from 'vitest';
import { LoadError } from '../../src/common/errors.ts';
import { nameKey } from '../../src/dns/name.ts';
import type { HeldGrant } from '../../src/features/names/grant.ts';
import { classOf, portClasses } from '../../src/policy/port-classes.ts';
import { container } from '../support/containers.ts';
import { type FakeOptions, startFake } from '../support/fake-controller.ts';
import { FakeNameProxy } from '../support/fake-names.ts';
import { FakeConsul, FakeKernel } from '../support/fakes.ts';
import { address, dotted, nameRule } from '../unit/features/names/names.ts';

const ID = 'web@2026-01-01T00:00:00Z';
const API = 'api.example.com:tcp/443';

async function start(
  keys: Readonly<Record<string, string>>,
  more: FakeOptions = {},
  proxy = new FakeNameProxy(),
) {
  const kernel = more.kernel ?? new FakeKernel();
  kernel.beforeLoad = async () => void proxy.steps.push('load');
  const setup = startFake({ names: proxy.ports(), ...more, kernel });
  setup.consul.put(keys);
  setup.engine.run(container('web'));
  await setup.rest();
  const text = () => setup.kernel.texts.get(ID) ?? '';
  /** What happens because of it. */
  const stepsOf = async (change: () => void): Promise<readonly string[]> => {
    proxy.steps.length = 0;
    change();
    await setup.rest();
    return [...proxy.steps];
  };
  const variable = (name: string) => new RegExp(`define ${name} = (.*)`).exec(text())?.[1];
  const names = () => {
    const [found] = proxy.opened.values();
    if (found === undefined) throw new Error('nobody answers');
    return found;
  };
  const [status] = setup.controller.answers.status().namespaces;
  return { ...setup, proxy, text, stepsOf, variable, names, status };
}

const held = (to: string, name = 'api.example.com', portClass = 'tcp/443'): HeldGrant => ({
  ...{
    portClass,
    address: address(to),
    name: nameKey(dotted(name)),
    needed: 9e15,
    until: 9e15,
    atMost: 9e15,
  },
});

describe('a namespace', () => {
  test('without rules by name has the text that it had, and nobody opens or records anything for it', async () => {
    const { proxy, text, controller } = await start({ db: '10.0.0.1:tcp/5432' });
    const plain = await start({ db: '10.0.0.1:tcp/5432' }, { names: undefined });
    expect(text()).toBe(plain.text());
    const { stored } = proxy;
    await controller.close();
    expect(proxy.isStarted).toBe(false);
    expect(proxy.stored).toBe(stored);
  });

  test('has its addresses first, then sockets, then the text that leads questions to them', async () => {
    const { proxy, text, variable, status, names } = await start({ db: `10.0.0.1:tcp/5432\n${API}` });
    expect(proxy.steps).toEqual(['load', 'open', 'hold', 'load', 'resume tcp/443']);
    expect(text()).toContain('10.0.0.1 . tcp . 5432');
    expect([variable('dnsport'), variable('seal')]).toEqual(['40000', `0x${'01'.repeat(16)}`]);
    expect(text()).toContain('udp sport 50000 socket cgroupv2 level 1 "egt"');
    expect(names().rules).toEqual([API]);
    expect(status).toMatchObject({
      ...{ state: 'protected', dns: 'names', problems: [] },
      names: { state: 'answering', names: 0, addresses: 0, denied: 0 },
    });
  });

  test('that may be another one as well gets none: two that answer there would take its rules from each other', async () => {
    const { engine, rest, proxy, kernel, controller } = await start({ db: `10.0.0.1:tcp/5432\n${API}` });
    const joined = { network: { kind: 'container', owner: 'gone' } } as const;
    engine.run(container('one', joined));
    await rest();
    expect(proxy.opened.size).toBe(2);
    engine.run(container('two', { ...joined, pid: 4243 }));
    await rest();
    expect(proxy.opened.size).toBe(1);
    const texts = ['one', 'two'].map((name) => kernel.texts.get(ID.replace('web', name)) ?? '');
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).toContain('10.0.0.1 . tcp . 5432');
    expect(texts[0]).not.toContain('define dnsport');
    const problems = controller.answers.status().namespaces.flatMap((one) => one.problems);
    const reason =
      'a container that others joined has ended, and it is not known which of them share a network until they start again, so it grants nothing; write its addresses';
    expect(problems.map((one) => one.reason)).toEqual([reason, reason]);
  });

  test('that asks for names gets them without a rule by name', async () => {
    const { engine, rest, proxy } = await start({ db: '10.0.0.1:tcp/5432' });
    engine.run(container('job', { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_DNS=names'] }));
    await rest();
    expect([...proxy.opened.values()].map(({ wanted }) => wanted.namespace.name)).toEqual(['job']);
  });

  test('whose runner keeps its resolvers is told that rules by name grant nothing', async () => {
    const environment = ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db', 'EGRESSTRATOR_DNS=resolvers'];
    const { engine, rest, proxy, controller } = await start({});
    engine.run(container('web', { environment, startedAt: '2026-01-01T00:00:01Z' }));
    await rest();
    expect(proxy.isStarted).toBe(false);
    expect(controller.answers.status().namespaces[0]?.dns).toBe('resolvers');
  });

  test('that is gone, or has no rule by name any more, is let go', async () => {
    const { stepsOf, consul, engine, text, proxy } = await start({ db: API });
    expect(await stepsOf(() => consul.put({ db: '10.0.0.1:tcp/5432' }))).toEqual(['close', 'load']);
    expect(text()).not.toContain('$dnsport');
    await stepsOf(() => consul.put({ db: API }));
    expect(await stepsOf(() => engine.stop('web'))).toEqual(['close']);
    expect(proxy.opened.size).toBe(0);
  });
});

describe('a change of rules', () => {
  test('to another name with the same ports loads nothing', async () => {
    const { stepsOf, consul, names } = await start({ db: API });
    expect(await stepsOf(() => consul.put({ db: `${API}\nwww.example.com:tcp/443` }))).toEqual(['policy']);
    expect(names().rules).toEqual([API, 'www.example.com:tcp/443']);
  });

  test('to other ports counts with the text that has them', async () => {
    const { stepsOf, consul } = await start({ db: API });
    expect(await stepsOf(() => consul.put({ db: `${API}\nwww.example.com:udp/53` }))).toEqual([
      ...['hold', 'policy', 'load', 'resume tcp/443 udp/53'],
    ]);
  });

  test('takes over what is granted', async () => {
    const { stepsOf, consul, names, variable, text } = await start({ db: API });
    names().held = [held('1.1.1.1'), held('2606::1')];
    await stepsOf(() => consul.put({ db: `10.0.0.1:tcp/1\n${API}` }));
    const [{ number } = { number: 0 }] = portClasses([nameRule(API)]);
    expect(variable(`held4_${number}`)).toContain('0x1010101 timeout 60s');
    expect(variable(`held6_${number}`)).toContain('0x26060000000000000000000000000001 timeout 60s');
    expect(text()).toContain('10.0.0.1 . tcp . 1');
  });

  test('that takes a name away ends its connections by another secret, and those of no other name', async () => {
    const { stepsOf, consul, names, variable } = await start({ db: `${API}\nwww.example.com:tcp/443` });
    const secret = variable('seal');
    names().held = [held('1.1.1.2', 'www.example.com')];
    names().kept = [{ portClass: 'tcp/443', address: address('1.1.1.3') }];
    const steps = await stepsOf(() => consul.put({ db: 'www.example.com:tcp/443' }));
    expect(steps).toEqual(['policy', 'hold', 'load', 'resume tcp/443']);
    expect(variable('seal')).not.toBe(secret);
    const [{ number } = { number: 0 }] = portClasses([nameRule(API)]);
    expect(variable(`held4_${number}`)).toContain('0x1010102 timeout 60s');
    expect(variable(`kept4_${number}`)).toMatch(/0x1010103/);
    expect(variable(`kept4_${number}`)).not.toMatch(/0x101010[12]/);
  });

  test('whose load fails leaves what is answered as it was', async () => {
    const { stepsOf, consul, kernel, proxy } = await start({ db: API });
    let failures = 1;
    kernel.beforeLoad = async () => {
      if (failures-- > 0) throw new LoadError('nft: no memory');
      proxy.steps.push('load');
    };
    expect(await stepsOf(() => consul.put({ db: `10.0.0.1:tcp/1\n${API}` }))).toEqual([
      ...['hold', 'resume as before', 'hold', 'load', 'resume tcp/443'],
    ]);
  });
});

describe('sockets that cannot be opened', () => {
  test('leave the addresses, are reported, and are tried again', async () => {
    const proxy = new FakeNameProxy();
    proxy.failure = new LoadError('Could not serve names in web: no permission.');
    const { text, controller, rest } = await start({ db: `10.0.0.1:tcp/5432\n${API}` }, {}, proxy);
    expect(text()).toContain('10.0.0.1 . tcp . 5432');
    expect(text()).not.toContain('define dnsport');
    const [status] = controller.answers.status().namespaces;
    expect(status?.problems.map(({ reason }) => reason)).toEqual([
      'its names are not answered: Could not serve names in web: no permission.',
    ]);
    proxy.failure = undefined;
    await rest();
    expect(text()).toContain('define dnsport = 40000');
    expect(controller.answers.status().namespaces[0]?.problems).toEqual([]);
  });

  test('because the processes of the host are not visible, are told in one sentence with the way out', async () => {
    const proxy = new FakeNameProxy();
    proxy.failure = new LoadError('Could not serve names in web.', { gone: true });
    const { controller, rest } = await start({ db: `10.0.0.1:tcp/5432\n${API}` }, {}, proxy);
    await rest();
    const [status] = controller.answers.status().namespaces;
    expect(status?.problems.map(({ reason }) => reason)).toEqual([
      'its names are not answered: the controller does not see the processes of the host, so its container has no DNS; run a controller that is in a container with --pid host',
    ]);
  });

  test.each([
    ['by options', (proxy: FakeNameProxy) => proxy.ports({ unavailable: 'it loads by helpers' })],
    [
      'as it turns out',
      (proxy: FakeNameProxy) => {
        proxy.unavailable = 'it loads by helpers';
        proxy.failure = new LoadError('no nsenter');
        return proxy.ports();
      },
    ],
  ])('%s leave resolvers, and rules by name grant nothing', async (_name, ports) => {
    const proxy = new FakeNameProxy();
    const { controller, text } = await start({ db: API }, { names: ports(proxy) }, proxy);
    const plain = await start({ db: '# nothing' }, { names: undefined });
    expect(text()).toBe(plain.text());
    const [status] = controller.answers.status().namespaces;
    expect([status?.dns, status?.names]).toEqual(['resolvers', undefined]);
    expect(status?.problems[0]?.reason).toMatch(/^it loads by helpers, so it grants nothing/);
  });
});

describe('a restart', () => {
  async function restarted(rules: string, port?: number, isLost = false) {
    const first = await start({ db: API });
    first.names().held = [held('1.1.1.1')];
    await first.controller.close();
    expect(first.proxy.isClosed).toBe(true);
    const { stored } = first.proxy;
    const proxy = new FakeNameProxy();
    if (isLost) proxy.left = stored.get(ID);
    if (port !== undefined)
      proxy.open = (key, wanted) => FakeNameProxy.prototype.open.call(proxy, key, { ...wanted, port });
    const second = await start(
      { db: rules },
      {
        names: proxy.ports({ previous: isLost ? new Map() : stored }),
        ...{ kernel: first.kernel, consul: new FakeConsul(), previousLoads: first.persistedLoads.current },
      },
      proxy,
    );
    return { first, second, stored };
  }

  test('opens the same ports, takes over what is granted, and loads nothing', async () => {
    const { second, stored } = await restarted(API);
    // What a crash has kept from being recorded.
    expect(second.proxy.steps).toEqual(['open', 'complete']);
    expect(second.names().wanted).toMatchObject({ port: 40_000, dockerPort: 50_000 });
    expect(second.names().wanted.adopted).toEqual(stored.get(ID));
    expect(stored.get(ID)).toMatchObject({ secret: new Uint8Array(16).fill(1), grants: [held('1.1.1.1')] });
    expect([...(stored.get(ID)?.numbers.keys() ?? [])]).toEqual([classOf(nameRule(API))]);
  });

  test('without a record reads what is granted from the kernel, and loads nothing', async () => {
    const { second, stored } = await restarted(API, undefined, true);
    expect(second.proxy.steps).toEqual(['recall', 'open']);
    expect(second.names().wanted).toMatchObject({ port: 40_000, adopted: stored.get(ID) });
    // What starts later has nothing of an earlier run.
    const steps = await second.stepsOf(() => second.engine.run(container('new', { pid: 4243 })));
    expect(steps).toEqual(['load', 'open', 'hold', 'load', 'resume tcp/443']);
  });

  test('at another port, as its own is taken, loads a text with that', async () => {
    const { second } = await restarted(API, 40_007);
    expect(second.proxy.steps).toEqual(['open', 'complete', 'hold', 'load', 'resume tcp/443']);
    expect(second.variable('dnsport')).toBe('40007');
  });

  test('without a rule of before ends what it granted', async () => {
    const { second } = await restarted('www.example.com:tcp/443');
    expect(second.names().rules).toEqual(['www.example.com:tcp/443']);
    expect(second.variable('dnsport')).toBe('40000');
  });

  test('forgets what was served in a namespace that wants no names now', async () => {
    const { second } = await restarted('10.0.0.1:tcp/1');
    expect(second.proxy.isStarted).toBe(false);
    expect(second.text()).not.toContain('define dnsport');
    await second.controller.close();
    expect(second.proxy.stored).toEqual(new Map());
  });

  test('before the rules are known leaves everything as it is', async () => {
    const first = await start({ db: API });
    await first.controller.close();
    const proxy = new FakeNameProxy();
    const second = startFake({
      names: proxy.ports({ previous: first.proxy.stored }),
      ...{ kernel: first.kernel, previousLoads: first.persistedLoads.current },
    });
    second.engine.run(container('web'));
    first.kernel.loads.length = 0;
    await second.rest();
    expect([proxy.isStarted, first.kernel.loads]).toEqual([false, []]);
    await second.controller.close();
    expect(proxy.stored).toEqual(first.proxy.stored);
  });
});

test('trouble in a namespace makes its rules be compared with the kernel', async () => {
  const { names, kernel, rest, text } = await start({ db: API });
  kernel.texts.delete(ID);
  names().trouble = ['the rules of the namespace are not loaded any more'];
  await expect.poll(text, { timeout: 10_000 }).toContain('define dnsport');
  await rest();
});

test('resolvers that do not answer are told once, as a source, and once more when they do', async () => {
  const { proxy, controller, log, rest } = await start({ db: `10.0.0.1:tcp/5432\n${API}` });
  const trouble = 'names of rules are not resolved: the last questions had no answer from 127.0.0.1:53';
  const sources = () => controller.answers.status().sources.filter(({ name }) => name === 'name resolvers');
  expect(sources()).toEqual([]);
  proxy.trouble = trouble;
  await expect.poll(() => sources()[0]?.error, { timeout: 10_000 }).toBe(trouble);
  await rest();
  expect(controller.answers.isReady).toBe(true);
  proxy.trouble = undefined;
  await expect.poll(() => sources().length, { timeout: 10_000 }).toBe(0);
  await rest();
  const lines = log.lines.filter(({ fields }) => 'reason' in fields && fields.reason === trouble);
  expect(lines.map(({ message }) => message)).toEqual(['problem found', 'problem solved']);
});
