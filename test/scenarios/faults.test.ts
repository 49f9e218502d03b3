/** What the controller does when sources and loaders fail: nothing opens, and it is right again after. */
import { describe, expect, test, vi } from 'vitest';
import { LoadError } from '../../src/common/errors.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const web = container('web');
const DB = ['10.0.0.1 . tcp . 5432'];
const away = new Error('Consul is away');

const stateOf = ({ controller }: FakeSetup) =>
  controller.answers.status().namespaces.map(({ state }) => state);

describe('Consul', () => {
  test('lost later: the last known rules stay, for new containers too', async () => {
    const setup = startFake();
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await setup.rest();
    setup.consul.fail(away);
    const late = container('late');
    setup.engine.run(late);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(DB);
    expect(setup.kernel.allowed(late)).toEqual(DB);
    expect(setup.log.messages('error')).toEqual(['problem found']);
  });

  test('away from the start: a container without rules is isolated, one with rules keeps them', async () => {
    const consul = new FakeConsul();
    const engine = new FakeEngine();
    const kernel = new FakeKernel();
    const before = startFake({ consul, engine, kernel });
    consul.put({ db: '10.0.0.1:tcp/5432' });
    engine.run(web);
    await before.rest();
    await before.controller.close();

    const unreachable = new FakeConsul();
    unreachable.error = away;
    const late = container('late');
    engine.run(late);
    const after = startFake({ consul: unreachable, engine, kernel });
    await after.rest();
    expect(kernel.allowed(web)).toEqual(DB);
    expect(kernel.allowed(late)).toEqual([]);
    expect(stateOf(after)).toEqual(['pending', 'pending']);

    unreachable.error = undefined;
    unreachable.put({ db: '10.0.0.2:tcp/5432' });
    await after.rest();
    expect(kernel.allowed(web)).toEqual(['10.0.0.2 . tcp . 5432']);
    expect(kernel.allowed(late)).toEqual(['10.0.0.2 . tcp . 5432']);
    expect(stateOf(after)).toEqual(['protected', 'protected']);
  });

  test('slow at the start: the first load waits a little, then locks what has no rules', async () => {
    const setup = startFake({ grace: 500 });
    setup.engine.run(web);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(setup.kernel.allowed(web)).toBeUndefined();
    await vi.waitFor(() => expect(setup.kernel.allowed(web)).toEqual([]), 20_000);
  });

  test('away from the start, with what a previous run knew: that is in force', async () => {
    const consul = new FakeConsul();
    consul.error = away;
    const previousState = {
      rules: new Map([['db', 'postgres']]),
      services: new Map([['postgres', [{ address: '10.0.0.1', port: 5432, tags: [], node: 'n' }]]]),
      confirmedAt: { rules: undefined, services: new Map<string, number>() },
    };
    const setup = startFake({ consul, previousState });
    setup.engine.run(web);
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(DB);
  });

  test('a service that is new in an edit is waited for, for a moment, so that nothing is cut in between', async () => {
    const setup = startFake({ grace: 1_000 });
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await setup.rest();
    setup.consul.put({ db: 'postgres' });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(setup.kernel.allowed(web)).toEqual(DB);
    setup.consul.register('postgres', [{ address: '10.0.0.1', port: 5432, tags: [], node: 'n' }]);
    await setup.rest();
    expect(setup.kernel.loads).toHaveLength(1);
    expect(setup.kernel.allowed(web)).toEqual(DB);
  });

  test('lost while nobody refers to a service: the last known instances count for who starts again', async () => {
    const setup = startFake();
    setup.consul.register('postgres', [{ address: '10.0.0.9', port: 5432, tags: [], node: 'n' }]);
    setup.consul.put({ db: 'postgres' });
    setup.engine.run(web);
    await setup.rest();
    setup.consul.register('postgres', [{ address: '10.0.0.1', port: 5432, tags: [], node: 'n' }]);
    await setup.rest();
    setup.engine.stop('web');
    await setup.rest();
    setup.consul.fail(away);
    const again = { ...web, startedAt: '2026-01-02T00:00:00Z' };
    setup.engine.run(again);
    await setup.rest();
    expect(setup.kernel.allowed(again)).toEqual(DB);
  });

  test('is watched for granted services only, and no longer than they are referred to', async () => {
    const setup = startFake();
    setup.consul.put({ db: 'postgres', other: 'unwanted' });
    setup.engine.run(web);
    await setup.rest();
    expect(setup.consul.watched()).toEqual(['postgres']);
    setup.consul.put({ db: 'mysql' });
    await setup.rest();
    expect(setup.consul.watched()).toEqual(['mysql']);
    setup.engine.stop('web');
    await setup.rest();
    expect(setup.consul.watched()).toEqual([]);
  });
});

describe('a load that fails', () => {
  test('is tried again until it works, is reported once, and the old rules stay meanwhile', async () => {
    const setup = startFake();
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await setup.rest();
    let failures = 0;
    setup.kernel.beforeLoad = async () => {
      failures += 1;
      throw new LoadError('no room');
    };
    setup.consul.put({ db: '10.0.0.2:tcp/5432' });
    await setup.rest();
    expect(failures).toBeGreaterThan(1);
    expect(setup.kernel.allowed(web)).toEqual(DB);
    expect(stateOf(setup)).toEqual(['failed']);
    expect(setup.log.messages('error')).toEqual(['rules could not be loaded; trying again']);
    setup.kernel.beforeLoad = async () => {};
    await setup.rest();
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(['10.0.0.2 . tcp . 5432']);
    expect(stateOf(setup)).toEqual(['protected']);
  });

  test('is not hammered by changes elsewhere', async () => {
    const setup = startFake({ retry: { first: 60_000, most: 60_000 } });
    let failures = 0;
    setup.kernel.beforeLoad = async () => {
      failures += 1;
      throw new LoadError('no room');
    };
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await setup.rest();
    for (let n = 0; n < 5; n += 1) setup.consul.put({ db: '10.0.0.1:tcp/5432', [`other${n}`]: '' });
    await setup.rest();
    expect(failures).toBe(1);
  });

  test('because the container is gone is no news, unless it stays', async () => {
    const setup = startFake();
    setup.kernel.beforeLoad = async () => {
      throw new LoadError('gone', { gone: true });
    };
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(setup.log.messages('error')).toEqual([]);
    for (let n = 0; n < 4; n += 1) await setup.rest();
    expect(setup.log.messages('error')).toEqual(['rules could not be loaded; trying again']);
  });
});

describe('a controller that is started again', () => {
  test('leaves alone what is right', async () => {
    const kernel = new FakeKernel();
    const engine = new FakeEngine();
    const consul = new FakeConsul();
    consul.put({ db: '10.0.0.1:tcp/5432' });
    engine.run(web);
    const before = startFake({ kernel, engine, consul });
    await before.rest();
    await before.controller.close();
    kernel.loads.length = 0;
    const after = startFake({ kernel, engine, consul, previousLoads: before.persistedLoads.current });
    await after.rest();
    expect(kernel.loads).toEqual([]);
    expect(stateOf(after)).toEqual(['protected']);
  });
});

describe('the kernel', () => {
  test('altered behind our back is put right, and reported', async () => {
    const setup = startFake({ driftInterval: 30 });
    setup.consul.put({ db: '10.0.0.1:tcp/5432' });
    setup.engine.run(web);
    await setup.rest();
    setup.kernel.texts.clear();
    await setup.rest();
    expect(setup.kernel.allowed(web)).toEqual(DB);
    expect(setup.log.messages('warn')).toContain('rules in the kernel were changed');
  });
});

describe('an operator', () => {
  test('may set other keys and take them back; a restart of the container forgets it', async () => {
    const setup = startFake();
    setup.consul.put({ db: '10.0.0.1:tcp/5432', other: '10.0.0.7:tcp/7' });
    setup.engine.run(web);
    await setup.rest();
    await setup.controller.override([web], { kind: 'set', grants: ['other'] });
    expect(setup.kernel.allowed(web)).toEqual(['10.0.0.7 . tcp . 7']);
    await setup.controller.override([web], { kind: 'clear' });
    expect(setup.kernel.allowed(web)).toBeUndefined();
    const restarted = { ...web, startedAt: '2026-01-02T00:00:00Z' };
    setup.engine.run(restarted);
    await setup.rest();
    expect(setup.kernel.allowed(restarted)).toEqual(DB);
  });
});
