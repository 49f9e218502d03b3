/** `--max-age` for ingress keys: those that Consul has not confirmed for too long let nobody in, also after a restart. */
import { expect, test, vi } from 'vitest';
import type { LastKnownState } from '../../src/daemon/consul-cache.ts';
import { container } from '../support/containers.ts';
import { type FakeOptions, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const AWAY = new Error('Consul does not answer');
const HOUR = 3_600_000;
const TEN = '10.0.0.0/8 . tcp . 8080';
const app = container('app', { environment: ['EGRESSTRATOR_INGRESS=web'] });

class Hours {
  now = 1_000 * HOUR;
}

/** A controller on a host where `app` runs. */
function startAt(time: Hours, options: FakeOptions = {}) {
  const { consul = new FakeConsul(), engine = new FakeEngine() } = options;
  const now = () => time.now;
  consul.now = now;
  engine.run(app);
  return startFake({ maxAge: { limit: HOUR, action: 'lock' }, ...options, consul, engine, now });
}

const becomes = (kernel: FakeKernel, callers: readonly string[]) =>
  vi.waitFor(() => expect(kernel.allowed(app, 'ingress')).toEqual(callers), { timeout: 5_000 });

function answering(): FakeConsul {
  const consul = new FakeConsul();
  consul.put({});
  consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
  return consul;
}

test('keys that are too old let nobody in until Consul confirms them', async () => {
  const time = new Hours();
  const consul = answering();
  const { kernel, controller, log, rest } = startAt(time, { consul });
  await becomes(kernel, [TEN]);
  consul.lose(AWAY);
  time.now += 2 * HOUR;
  await becomes(kernel, []);
  await rest();
  expect(controller.answers.status().ingress?.map(({ state }) => state)).toEqual(['closed']);
  expect(controller.answers.status().sources.find(({ name }) => name === 'ingress keys')?.outdated).toBe(
    true,
  );
  expect(log.lines.flatMap(({ fields }) => ('reason' in fields ? fields.reason : []))).toContain(
    'the ingress keys are older than --max-age, so they let nobody in until Consul confirms them',
  );
  consul.confirm();
  await becomes(kernel, [TEN]);
});

/** What a controller keeps that has just read the keys. */
async function keptAt(time: Hours, kernel: FakeKernel): Promise<LastKnownState> {
  const first = startAt(time, { kernel, consul: answering() });
  await becomes(kernel, [TEN]);
  await first.rest();
  await first.controller.close();
  const previousState = first.persisted.at(-1);
  if (previousState === undefined) throw new Error('nothing was kept');
  return previousState;
}

function away(): FakeConsul {
  const consul = new FakeConsul();
  consul.error = AWAY;
  return consul;
}

test.each([
  ['count while they are not too old', HOUR / 2, [TEN]],
  ['let nobody in when they are', 2 * HOUR, []],
])('after a restart without Consul, keys of the previous run %s', async (_what, pause, callers) => {
  const time = new Hours();
  const previousState = await keptAt(time, new FakeKernel());
  time.now += pause;
  const kernel = new FakeKernel();
  const { controller } = startAt(time, { kernel, previousState, consul: away() });
  await becomes(kernel, callers);
  expect(controller.answers.status().sources.find(({ name }) => name === 'ingress keys')).toMatchObject({
    ...{ known: false, confirmedAt: 1_000 * HOUR },
    outdated: callers.length === 0 ? true : undefined,
  });
});

test('their age is kept while no container names a key', async () => {
  const time = new Hours();
  const previousState = await keptAt(time, new FakeKernel());
  time.now += HOUR / 2;
  const engine = new FakeEngine();
  engine.run(container('other'));
  const second = startFake({ engine, consul: away(), previousState, now: () => time.now });
  await second.rest();
  expect(second.persisted.at(-1)?.confirmedAt.ingress).toBe(1_000 * HOUR);
});

test('removed, empty and malformed keys close, and the ones before count again when they come back', async () => {
  const consul = answering();
  const { kernel } = startAt(new Hours(), { consul });
  await becomes(kernel, [TEN]);
  for (const text of [undefined, '', '# nobody', '10.0.0.0/33:tcp/8080', '300.0.0.1:tcp/80\nprometheus']) {
    consul.putIngress(text === undefined ? {} : { web: text });
    await becomes(kernel, []);
    consul.putIngress({ web: '10.0.0.0/8:tcp/8080' });
    await becomes(kernel, [TEN]);
  }
});
