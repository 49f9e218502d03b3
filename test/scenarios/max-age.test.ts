/** `--max-age`: rules that Consul has not confirmed for too long grant nothing until it confirms them. */
import { describe, expect, test, vi } from 'vitest';
import type { MaxAge } from '../../src/daemon/age-limit.ts';
import type { Gate, PreparedText } from '../../src/features/egress/gate.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import type { Container } from '../../src/inventory/container.ts';
import { container } from '../support/containers.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeOptions, type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeNameProxy } from '../support/fake-names.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const AWAY = new Error('Consul does not answer');
const HOUR = 3_600_000;
const LOCK: MaxAge = { limit: HOUR, action: 'lock' };
const DROP: MaxAge = { limit: HOUR, action: 'drop-services' };

const web = container('web');
const HOST = '10.0.0.1 . tcp . 80';
const PG = '10.0.0.2 . tcp . 5432';
const instance = { address: '10.0.0.2', port: 5432, tags: [], node: 'n1' };

interface Setup extends FakeSetup {
  /** Lets time pass, with no other event. */
  pass(ms: number): void;
  /** Waits until these are allowed in a container's namespace. */
  becomes(one: Container, allowed: readonly string[]): Promise<void>;
}

class Hours {
  now = 1_000 * HOUR;
}

function begin(options: FakeOptions, time = new Hours()): Setup {
  const { consul = new FakeConsul() } = options;
  const now = () => time.now;
  consul.now = now;
  const setup = startFake({ ...options, consul, now });
  return {
    ...setup,
    pass: (ms) => {
      time.now += ms;
    },
    becomes: (one, allowed) =>
      vi.waitFor(() => expect(setup.kernel.allowed(one)).toEqual(allowed), { timeout: 5_000 }),
  };
}

/** `db` grants a host and a service. */
async function start(options: FakeOptions, time?: Hours): Promise<Setup> {
  const setup = begin(options, time);
  setup.consul.register('pg', [instance]);
  setup.consul.put({ db: '10.0.0.1:tcp/80\npg' });
  setup.engine.run(web);
  await setup.becomes(web, [HOST, PG]);
  return setup;
}

/** Longer than it takes to notice that something is too old. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 600));

test('without it what is known counts for ever', async () => {
  const { consul, kernel, pass } = await start({});
  consul.lose(AWAY);
  pass(100_000 * HOUR);
  await aMoment();
  expect(kernel.allowed(web)).toEqual([HOST, PG]);
});

describe('lock', () => {
  test('takes all grants away at that age, and gives them back when Consul confirms what it said', async () => {
    const { consul, kernel, log, controller, pass, becomes, rest } = await start({ maxAge: LOCK });
    consul.lose(AWAY);
    pass(HOUR);
    await aMoment();
    expect(kernel.allowed(web)).toEqual([HOST, PG]);
    pass(1);
    await becomes(web, []);
    await rest();
    expect(controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['isolated']);
    expect(controller.answers.status().sources.map(({ name, outdated }) => [name, outdated])).toEqual([
      ['rules', true],
      ['service pg', true],
      ['containers', undefined],
    ]);
    expect(log.lines.flatMap(({ fields }) => ('reason' in fields ? fields.reason : []))).toContain(
      'the rules are older than --max-age, so keys grant nothing until Consul confirms them',
    );
    consul.confirm();
    await becomes(web, [HOST, PG]);
  });

  test('holds for containers that start meanwhile', async () => {
    const { consul, engine, pass, becomes } = await start({ maxAge: LOCK });
    consul.lose(AWAY);
    pass(2 * HOUR);
    const late = container('late');
    engine.run(web, late);
    await becomes(late, []);
    consul.confirm();
    await becomes(late, [HOST, PG]);
  });

  test('drops a service alone that fails while the rules are confirmed', async () => {
    const { consul, controller, pass, becomes } = await start({ maxAge: LOCK });
    consul.lose(AWAY, 'pg');
    pass(2 * HOUR);
    consul.confirm('');
    consul.put({ db: '10.0.0.1:tcp/80\npg' });
    await becomes(web, [HOST]);
    expect(controller.answers.status().namespaces.flatMap(({ problems }) => problems)).toMatchObject([
      { severity: 'error', key: 'db', line: 2, reason: expect.stringMatching(/^pg is older than --max-age/) },
    ]);
    consul.confirm('pg');
    await becomes(web, [HOST, PG]);
  });

  test('leaves alone a service whose query hangs with nothing wrong', async () => {
    const { consul, kernel, pass } = await start({ maxAge: LOCK });
    pass(2 * HOUR);
    consul.put({ db: '10.0.0.1:tcp/80\npg' });
    await aMoment();
    expect(kernel.allowed(web)).toEqual([HOST, PG]);
  });

  test('refuses nothing in audit mode', async () => {
    const { consul, kernel, controller, pass, becomes } = await start({ maxAge: LOCK, mode: 'audit' });
    consul.lose(AWAY);
    pass(2 * HOUR);
    await becomes(web, []);
    expect(controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['audit']);
    expect([...kernel.texts.values()].join('')).toContain('let pass (audit)');
  });
});

describe('rules by name', () => {
  const API = 'api.example.com:tcp/443';

  async function startNamed(maxAge: MaxAge) {
    const proxy = new FakeNameProxy();
    const setup = begin({ maxAge, names: proxy.ports() });
    setup.consul.register('pg', [instance]);
    setup.consul.put({ db: `10.0.0.1:tcp/80\n${API}\npg` });
    setup.engine.run(web);
    await setup.becomes(web, [HOST, PG]);
    await setup.rest();
    const served = () => [...proxy.opened.values()];
    const rules = () => served().map((one) => one.rules);
    const service = () => served().map(({ policy }) => policy.localResolver(['pg', 'service', 'consul']));
    const status = () => {
      const [one] = setup.controller.answers.status().namespaces;
      return [one?.state, one?.dns];
    };
    const text = () => setup.kernel.texts.get('web@2026-01-01T00:00:00Z') ?? '';
    return { ...setup, rules, service, status, text };
  }

  test('that are locked grant nothing, and their holders get no other resolvers', async () => {
    const { consul, pass, becomes, rest, rules, service, status, text } = await startNamed(LOCK);
    expect([rules(), service(), status()]).toEqual([[[API]], ['consul'], ['protected', 'names']]);
    expect(text()).toContain('set names4_');
    consul.lose(AWAY);
    pass(2 * HOUR);
    await becomes(web, []);
    await rest();
    expect([rules(), service(), status()]).toEqual([[[]], [undefined], ['isolated', 'names']]);
    expect(text()).toContain('define dnsport');
    expect(text()).not.toContain('set names4_');
    consul.confirm();
    await becomes(web, [HOST, PG]);
    await rest();
    expect([rules(), service(), status()]).toEqual([[[API]], ['consul'], ['protected', 'names']]);
  });

  test('stay where only services are dropped', async () => {
    const { consul, pass, kernel, rules, text } = await startNamed(DROP);
    consul.lose(AWAY);
    pass(1_000 * HOUR);
    await aMoment();
    expect([rules(), kernel.allowed(web)]).toEqual([[[API]], [HOST]]);
    expect(text()).toContain('set names4_');
  });
});

describe('drop-services', () => {
  test('takes away services, and leaves rules by address', async () => {
    const { consul, controller, pass, becomes } = await start({ maxAge: DROP });
    consul.lose(AWAY);
    pass(HOUR + 1);
    await becomes(web, [HOST]);
    pass(1_000 * HOUR);
    await aMoment();
    await becomes(web, [HOST]);
    expect(controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['protected']);
    consul.confirm();
    await becomes(web, [HOST, PG]);
  });
});

describe('a controller that starts anew with what a previous run knew too long ago', () => {
  async function restart(maxAge: MaxAge, prepare: (consul: FakeConsul) => void, isKept = true) {
    const [engine, kernel, time, before] = [
      new FakeEngine(),
      new FakeKernel(),
      new Hours(),
      new FakeConsul(),
    ];
    const first = await start({ engine, kernel, consul: before }, time);
    await first.controller.close();
    const previousState = isKept ? first.persisted.at(-1) : undefined;
    time.now += 2 * HOUR;
    const consul = new FakeConsul();
    prepare(consul);
    kernel.loads.length = 0;
    return begin({ engine, kernel, consul, maxAge, ...(previousState && { previousState }) }, time);
  }
  const isAway = (consul: FakeConsul) => {
    consul.error = AWAY;
  };
  const answers = (consul: FakeConsul) => {
    consul.services.set('pg', [instance]);
    consul.put({ db: '10.0.0.1:tcp/80\npg' });
  };

  test('locks if Consul is away', async () => {
    const { consul, controller, becomes } = await restart(LOCK, isAway);
    await becomes(web, []);
    expect(controller.answers.status().sources[0]).toMatchObject({
      name: 'rules',
      known: false,
      outdated: true,
    });
    consul.register('pg', [instance]);
    consul.error = undefined;
    answers(consul);
    await becomes(web, [HOST, PG]);
  });

  test('drops services if that is asked for', async () => {
    const { becomes } = await restart(DROP, isAway);
    await becomes(web, [HOST]);
  });

  test('locks as well if nothing was kept, as nobody knows how old what is loaded is', async () => {
    const { becomes } = await restart(LOCK, isAway, false);
    await becomes(web, []);
  });

  test('locks nothing where Consul answers, and waits a moment for that', async () => {
    const { consul, kernel, becomes, rest } = await restart(LOCK, () => {});
    const load = kernel.load.bind(kernel);
    const loaded: string[] = [];
    kernel.load = (namespace, ruleset) => {
      loaded.push(ruleset.text);
      return load(namespace, ruleset);
    };
    await aMoment();
    consul.register('pg', [instance]);
    answers(consul);
    await rest();
    await becomes(web, [HOST, PG]);
    expect(loaded.filter((text) => !text.includes(HOST) || !text.includes(PG))).toEqual([]);
  });

  test('locks once that moment is over', async () => {
    const { pass, becomes } = await restart(LOCK, () => {});
    await becomes(web, [HOST, PG]);
    pass(1_000);
    await becomes(web, []);
  });
});

test('the gate is prepared for the same', async () => {
  let prepared: readonly PreparedText[] = [];
  const gate: Gate = {
    prepare: (texts) => {
      prepared = texts;
    },
    loadedAtStart: async () => undefined,
  };
  const { consul, pass, becomes } = await start({ maxAge: LOCK, gate });
  expect(prepared[0]?.text).toContain(HOST);
  consul.lose(AWAY);
  pass(2 * HOUR);
  await becomes(web, []);
  expect(prepared.map(({ grants }) => grants)).toEqual([['db']]);
  expect(prepared[0]?.text).not.toContain(HOST);
  consul.confirm();
  await becomes(web, [HOST, PG]);
  expect(prepared[0]?.text).toContain(HOST);
});

describe('with a denylist', () => {
  const closed = ({ kernel }: FakeSetup) =>
    /set closed4[\s\S]*/.exec([...kernel.texts.values()].join(''))?.[0] ?? '';

  async function startDenylist(maxAge: MaxAge): Promise<Setup> {
    const setup = begin({ maxAge, template: loadTemplate('denylist') });
    setup.consul.register('pg', [instance]);
    setup.consul.put({ db: '10.0.0.1:tcp/80', other: 'pg' });
    setup.engine.run(web);
    await eventually(() => expect(closed(setup)).toContain(PG));
    expect(closed(setup)).not.toContain(HOST);
    return setup;
  }

  test('lock closes what any key names, also the own', async () => {
    const setup = await startDenylist(LOCK);
    setup.consul.lose(AWAY);
    setup.pass(2 * HOUR);
    await eventually(() => expect(closed(setup)).toContain(HOST));
    expect(closed(setup)).toContain(PG);
  });

  test('a service that is too old stays closed', async () => {
    const setup = await startDenylist(DROP);
    setup.consul.lose(AWAY);
    setup.pass(2 * HOUR);
    await aMoment();
    expect(closed(setup)).toContain(PG);
    expect(closed(setup)).not.toContain(HOST);
  });
});
