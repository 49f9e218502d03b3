/** An unknown service delays only an edit that names it, and only for a moment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LastKnownState } from '../../src/daemon/consul-cache.ts';
import type { Gate, PreparedText } from '../../src/features/egress/gate.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const web = container('web');
const [ONE, TWO] = ['10.0.0.1 . tcp . 80', '10.0.0.2 . tcp . 80'];
const NOT_THIS_ONE = new Error('No path to datacenter');
const instance = { address: '10.0.0.2', port: 80, tags: [], node: 'n1' };

const statusOf = ({ controller }: FakeSetup) =>
  controller.answers
    .status()
    .namespaces.map(({ state, problems }) => [state, ...problems.map(({ text }) => text)]);

describe.each([
  ['says nothing', (_consul: FakeConsul) => {}],
  ['fails', (consul: FakeConsul) => consul.mute('unread', NOT_THIS_ONE)],
])('a service that %s', (_what, unread) => {
  test('holds up no revocation, in the edit that names it and in later ones', async () => {
    const setup = startFake();
    unread(setup.consul);
    setup.consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual([ONE, TWO]);
    setup.consul.put({ db: '10.0.0.1:tcp/80\nunread' });
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual([ONE]);
    setup.consul.put({ db: '10.0.0.2:tcp/80\nunread' });
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual([TWO]);
    expect(statusOf(setup)).toEqual([['protected', 'unread']]);
  });

  test('holds up no revocation that is known after a restart', async () => {
    const [engine, kernel] = [new FakeEngine(), new FakeKernel()];
    const before = startFake({ engine, kernel });
    before.consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80\nunread' });
    engine.run(web);
    await before.rest();
    await before.controller.close();

    for (const previousState of [before.persisted.at(-1), undefined]) {
      const consul = new FakeConsul();
      unread(consul);
      consul.put({ db: '10.0.0.1:tcp/80\nunread' });
      const after = startFake({ engine, kernel, consul, ...(previousState && { previousState }) });
      await after.rest();
      expect(kernel.allowed(web)).toEqual([ONE]);
      expect(statusOf(after)).toEqual([['protected', 'unread']]);
      await after.controller.close();
    }
  });

  test('leaves the other lines to a workload that the gate has locked, and to the gate’s own texts', async () => {
    let prepared: readonly PreparedText[] = [];
    const gate: Gate = {
      prepare: (texts) => {
        prepared = texts;
      },
      loadedAtStart: async () => ({ fingerprint: '0badc0de', resolvers: [] }),
    };
    const setup = startFake({ gate, prepare: [['db']] });
    unread(setup.consul);
    setup.consul.put({ db: '10.0.0.1:tcp/80\nunread' });
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual([ONE]);
    expect(prepared.map(({ text }) => text)).toEqual([expect.stringContaining(ONE)]);
    expect(statusOf(setup)).toEqual([['protected', 'unread']]);
  });
});

describe('readiness', () => {
  test('waits for the rules, and for no service that has failed or says nothing', async () => {
    const setup = startFake();
    setup.consul.mute('web@dc9', NOT_THIS_ONE);
    setup.engine.run(web);
    await setup.rest();
    expect(setup.controller.answers.isReady).toBe(false);
    setup.consul.put({ db: 'web@dc9\nsilent\n10.0.0.1:tcp/80' });
    await setup.rest();
    await expect.poll(() => setup.controller.answers.isReady, { timeout: 2_000 }).toBe(true);
    setup.engine.run(container('other'));
    await setup.rest();
    expect(setup.controller.answers.isReady).toBe(true);
  });

  test('is lost by no container that cannot be inspected: these are named', async () => {
    const setup = startFake();
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    setup.engine.unreadable.add(web.id).add('0123456789abcdef');
    expect(setup.controller.answers.unreadable).toEqual(['0123456789ab', web.name]);
    expect(setup.controller.answers.isReady).toBe(true);
  });

  test('is lost by no outage of Consul', async () => {
    const setup = startFake();
    setup.consul.put({ db: '10.0.0.1:tcp/80' });
    setup.engine.run(web);
    await setup.rest();
    setup.consul.fail(new Error('away'));
    expect(setup.controller.answers.isReady).toBe(true);
  });
});

test('what a previous run knew of a service that fails now is in force', async () => {
  const [engine, kernel, consul] = [new FakeEngine(), new FakeKernel(), new FakeConsul()];
  const before = startFake({ engine, kernel, consul });
  consul.register('web', [instance]);
  consul.put({ db: '10.0.0.1:tcp/80\nweb' });
  engine.run(web);
  await before.rest();
  await before.controller.close();

  const silent = new FakeConsul();
  silent.mute('web', NOT_THIS_ONE);
  const previousState = before.persisted.at(-1);
  const after = startFake({ engine, kernel, consul: silent, ...(previousState && { previousState }) });
  silent.put({ db: '10.0.0.1:tcp/80\nweb' });
  await after.rest();
  expect(kernel.allowed(web)).toEqual([ONE, TWO]);
  silent.register('web', []);
  await after.rest();
  expect(kernel.allowed(web)).toEqual([ONE]);
});

test('an edit whose service is silent, made while a load goes on, is not forgotten', async () => {
  const setup = startFake();
  const goOn = Promise.withResolvers<void>();
  setup.consul.put({ db: '10.0.0.1:tcp/80\n10.0.0.2:tcp/80' });
  setup.kernel.beforeLoad = () => goOn.promise;
  setup.engine.run(web);
  await new Promise((resolve) => setTimeout(resolve, 5));
  setup.consul.put({ db: '10.0.0.1:tcp/80\nunread' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  goOn.resolve();
  await setup.rest();
  expect(setup.kernel.allowed(web)).toEqual([ONE]);
});

/** What each line of the key is, what the previous run knew of it, and what its source does now. */
const service = fc.record({
  wasKnown: fc.boolean(),
  now: fc.constantFrom('answers' as const, 'is silent' as const, 'fails' as const),
  isWanted: fc.boolean(),
});
const hosts = fc.array(fc.boolean(), { minLength: 1, maxLength: 3 });

test('whatever other sources do, what was revoked is gone, and what is known is there, within the grace', async () => {
  const property = fc.asyncProperty(
    fc.array(service, { maxLength: 3 }),
    hosts,
    fc.record({ hasState: fc.boolean(), hasGate: fc.boolean(), isNew: fc.boolean() }),
    async (services, kept, { hasState, hasGate, isNew }) => {
      const address = (index: number) => `10.0.1.${index + 1}`;
      const host = (index: number) => `10.0.0.${index + 1}`;
      const name = (index: number) => `service-${index}`;
      const found = (index: number) => ({ ...instance, address: address(index), port: 80 + index });
      const line = (index: number) => `${host(index)}:tcp/${80 + index}`;
      const all = [...kept.map((_, index) => line(index)), ...services.map((_, index) => name(index))];
      const [engine, kernel, consul] = [new FakeEngine(), new FakeKernel(), new FakeConsul()];
      const before = startFake({ engine, kernel, consul });
      services.forEach(({ wasKnown }, index) => {
        if (wasKnown) consul.register(name(index), [found(index)]);
      });
      consul.put({ db: all.join('\n') });
      if (!isNew) engine.run(web);
      await expect.poll(() => before.persisted.length).toBeGreaterThan(0);
      await before.rest();
      await before.controller.close();
      if (isNew) engine.run(web);

      const after = new FakeConsul();
      services.forEach(({ now }, index) => {
        if (now === 'answers') after.register(name(index), [found(index)]);
        if (now === 'fails') after.mute(name(index), NOT_THIS_ONE);
      });
      const wanted = services.flatMap(({ isWanted }, index) => (isWanted ? name(index) : []));
      const left = kept.flatMap((isKept, index) => (isKept ? line(index) : []));
      after.put({ db: [...left, ...wanted].join('\n') });
      const previousState: LastKnownState | undefined = hasState ? before.persisted.at(-1) : undefined;
      const gate: Gate = {
        prepare: () => {},
        loadedAtStart: async () => ({ fingerprint: '0badc0de', resolvers: [] }),
      };
      const setup = startFake({
        engine,
        kernel,
        consul: after,
        ...(previousState && { previousState }),
        ...(hasGate && { gate }),
      });
      const isKnown = ({ wasKnown, now }: (typeof services)[number]) =>
        now === 'answers' || (hasState && wasKnown && !isNew);
      const expected = [
        ...kept.flatMap((isKept, index) => (isKept ? `${host(index)} . tcp . ${80 + index}` : [])),
        ...services.flatMap((one, index) =>
          one.isWanted && isKnown(one) ? `${address(index)} . tcp . ${80 + index}` : [],
        ),
      ];
      await expect.poll(() => kernel.allowed(web)).toEqual(expected.sort());
      await setup.rest();
      expect(kernel.allowed(web)).toEqual(expected);
      await setup.controller.close();
    },
  );
  await fc.assert(property, { numRuns: 60 });
}, 60_000);
