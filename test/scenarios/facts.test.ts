/** Facts that a workload can delay or break: none of them delays a load, its own or another's. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { EngineError, LoadError } from '../../src/common/errors.ts';
import type { Gate } from '../../src/features/egress/gate.ts';
import { DockerContainerSource } from '../../src/sources/docker/containers.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';
import { FakeEngine as DockerFake } from '../unit/sources/docker/fake-engine.ts';

const web = container('web');
const [ONE, TWO] = ['10.0.0.1 . tcp . 80', '10.0.0.2 . tcp . 80'];
const [NAMES, OTHERS] = ['192.0.2.53', '192.0.2.54'];

const never = () => new Promise<never>(() => {});
const fails = () => Promise.reject(new EngineError('symlinks in a circle'));

const blind = (resolvers: FakeEngine['beforeResolvers']): FakeEngine =>
  Object.assign(new FakeEngine(), { seesFiles: false, beforeResolvers: resolvers });

const resolversIn = ({ kernel }: FakeSetup, { id, startedAt } = web): readonly string[] => {
  const text = kernel.texts.get(`${id}@${startedAt}`) ?? '';
  const [, list = ''] = /define resolvers4 = \{ 127\.0\.0\.1(.*) \}/.exec(text) ?? [];
  return list.split(', ').filter((address) => address !== '');
};

const problemsOf = ({ controller }: FakeSetup) =>
  controller.answers.status().namespaces.flatMap(({ problems }) => problems.map(({ reason }) => reason));

describe('resolvers', () => {
  test('that take long: all that the Engine gave, until they are read', async () => {
    const answer = Promise.withResolvers<readonly string[]>();
    const setup = startFake({ engine: blind(() => answer.promise) });
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual([ONE]);
    expect(resolversIn(setup)).toEqual([NAMES, OTHERS]);
    answer.resolve([NAMES]);
    await setup.rest();
    expect(resolversIn(setup)).toEqual([NAMES]);
  });

  test('that cannot be read: none, which is reported once, until they can', async () => {
    const engine = blind(fails);
    const setup = startFake({ engine });
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    expect(resolversIn(setup)).toEqual([]);
    expect(problemsOf(setup)).toEqual([expect.stringContaining('it has none until that succeeds')]);
    expect(setup.log.messages('warn')).toEqual(['problem found']);
    engine.beforeResolvers = async () => [NAMES];
    for (let n = 0; n < 6; n += 1) await setup.rest();
    expect(resolversIn(setup)).toEqual([NAMES]);
    expect(problemsOf(setup)).toEqual([]);
  });

  test('that were read before: those stay when another network comes and they cannot be read', async () => {
    const engine = blind(async () => [OTHERS]);
    const setup = startFake({ engine });
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    engine.beforeResolvers = fails;
    engine.run({ ...web, attachments: ['net:endpoint', 'other:endpoint'] });
    await setup.rest();
    expect(resolversIn(setup)).toEqual([OTHERS]);
    expect(problemsOf(setup)).toEqual([expect.stringContaining('the previous ones stay')]);
  });

  test('of others are read while those of some hang', async () => {
    const hostile = ['one', 'two', 'three', 'four', 'five'].map((name) => container(name));
    const tooLate = () => setTimeout(30).then(fails);
    const engine = blind((asked) => (asked.name === 'web' ? Promise.resolve([NAMES]) : tooLate()));
    const setup = startFake({ engine });
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    engine.run(...hostile, web);
    await setup.rest();
    for (const one of [web, ...hostile]) expect(setup.kernel.allowed(one)).toEqual([ONE]);
    await expect.poll(() => resolversIn(setup)).toEqual([NAMES]);
  });

  test('are no reason to load anew what is right after a restart of the controller', async () => {
    const [consul, kernel] = [new FakeConsul(), new FakeKernel()];
    const engine = blind(async () => [NAMES]);
    consul.put({ db: '10.0.0.1:tcp/80' });
    engine.run(web);
    const before = startFake({ consul, kernel, engine });
    await before.rest();
    await before.controller.close();
    kernel.loads.length = 0;
    const answer = Promise.withResolvers<readonly string[]>();
    engine.beforeResolvers = () => answer.promise;
    const previousLoads = before.persistedLoads.current;
    const after = startFake({ consul, kernel, engine, previousLoads });
    await after.rest();
    answer.resolve([NAMES]);
    await after.rest();
    expect(kernel.loads).toEqual([]);
    expect(after.controller.answers.status().namespaces).toMatchObject([{ state: 'protected' }]);
  });

  test('are the gate’s until they are read, so that nothing is loaded twice', async () => {
    let prepared = '';
    const gate: Gate = {
      prepare: ([one]) => {
        prepared = one?.text ?? '';
      },
      loadedAtStart: async () => {
        const fingerprint = /egresstrator v1 ([0-9a-f]+)/.exec(prepared)?.[1] ?? '';
        return { fingerprint, resolvers: [OTHERS] };
      },
    };
    const setup = startFake({ engine: blind(never), gate, prepare: [['db']] });
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    await setup.rest();
    setup.kernel.texts.set(`${web.id}@${web.startedAt}`, prepared);
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.loads).toEqual([]);
    expect(setup.controller.answers.status().namespaces).toMatchObject([{ state: 'protected' }]);
  });
});

/** Each call that a job makes before it loads. */
const calls: Record<string, (how: () => Promise<never>, setup: FakeSetup, gate: Gate) => void> = {
  'the Engine’s file': (how, { engine }) => Object.assign(engine, { resolversFromFile: how }),
  'the Engine’s answer': (how, { engine }) =>
    Object.assign(engine, { seesFiles: false, beforeResolvers: how }),
  'the gate’s record': (how, _setup, gate) => Object.assign(gate, { loadedAtStart: how }),
};

describe.each(Object.keys(calls))('%s', (name) => {
  test.each([
    ['fails', fails],
    [
      'ends with a container that is said to be gone',
      () => Promise.reject(new LoadError('', { gone: true })),
    ],
    ['never comes', never],
  ])('%s: rules are loaded, and revoked', async (_what, how) => {
    const gate: Gate = { prepare: () => {}, loadedAtStart: async () => undefined };
    const setup = startFake({ gate });
    calls[name]?.(how, setup, gate);
    setup.consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
    // It has started while we watched, so that the gate may have loaded something.
    await setup.rest();
    setup.engine.run(web);
    await expect.poll(() => setup.kernel.allowed(web), { timeout: 3_000 }).toEqual([ONE, TWO]);
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    await expect.poll(() => setup.kernel.allowed(web)).toEqual([ONE]);
  });
});

test('what a kernel holds cannot be read after a restart: rules are loaded, and revoked', async () => {
  const [consul, engine, kernel] = [new FakeConsul(), new FakeEngine(), new FakeKernel()];
  consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
  engine.run(web);
  kernel.inspect = () => Promise.reject(new LoadError('it printed more than 8388608 bytes'));
  const setup = startFake({ consul, engine, kernel });
  await setup.rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  consul.put({ db: '10.0.0.1:tcp/80' });
  await setup.rest();
  expect(kernel.allowed(web)).toEqual([ONE]);
});

/** Each call of the Engine that is not the load itself, nor the inspection that tells of the container at all. */
const engineCalls = ['image', 'create', 'start', 'archive', 'remove', 'labelled', 'pull'] as const;

describe.each(engineCalls)('the Engine asked to %s', (call) => {
  test.each([
    ['fails', () => Promise.reject(new EngineError('no room'))],
    ['says nothing', never],
  ])('%s: rules are loaded, and revoked', async (_what, how) => {
    const engine = Object.assign(new DockerFake(), { environment: web.environment, [call]: how });
    engine.names.set('web', 'web');
    const settings = { resolversLimit: 50, backoff: { first: 5, most: 20 }, listLimit: 50 };
    const { consul, kernel, controller } = startFake({
      containers: new DockerContainerSource(engine, settings),
    });
    consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
    await expect.poll(() => kernel.allowed(web), { timeout: 3_000 }).toEqual([ONE, TWO]);
    consul.put({ db: '10.0.0.1:tcp/80' });
    await expect.poll(() => kernel.allowed(web)).toEqual([ONE]);
    expect(controller.answers.status().namespaces).toMatchObject([{ state: 'protected' }]);
  });
});

test('containers of which the Engine tells nothing: others get their rules, and status says so', async () => {
  const engine = Object.assign(new DockerFake(), { environment: web.environment });
  for (const id of ['web', 'mute', 'bad']) engine.names.set(id, id);
  engine.trouble.set('mute', new Promise(() => {}));
  engine.trouble.set('bad', new EngineError('could not inspect container bad'));
  const containers = new DockerContainerSource(engine, { listLimit: 50 });
  const { consul, kernel, controller } = startFake({ containers });
  consul.put({ db: '10.0.0.1:tcp/80' });
  await expect.poll(() => kernel.allowed(web), { timeout: 3_000 }).toEqual([ONE]);
  const [source] = controller.answers.status().sources.filter(({ name }) => name === 'containers');
  expect(source?.error).toContain('could not inspect container bad');
});
