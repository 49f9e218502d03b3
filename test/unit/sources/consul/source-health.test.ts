/** What the watch of the rules tells those of services. */
import { expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import type { Question } from '../../../../src/sources/consul/query.ts';
import { Canary } from '../../../../src/sources/consul/source-health.ts';
import { answer, FakeQuestion, ManualClock, settle } from './support.ts';

const forever = new AbortController().signal;
const blocking = { kind: 'blocking', index: 10n, wait: 280_000 } as const;
const stale = { kind: 'stale' };
const silence = new ConsulError('did not answer in time', { cause: new Error('timeout') });
const failure = new ConsulError('answered 500', {
  cause: Object.assign(new Error('500'), { status: 500 }),
});
const refusal = new ConsulError('hides a part', { permanent: true });

/** The rules, and `count` services that have just been asked by blocking queries. */
async function flock(count: number, wait: number = blocking.wait) {
  const clock = new ManualClock();
  let places = 0;
  const place = () => 1_000 * places++;
  const canary = new Canary({ place, patience: 5_000, short: 45_000, clock, random: () => 0 });
  const rules = new FakeQuestion();
  const listened = canary.listen(rules);
  const told: (string | undefined)[] = [];
  const services = Array.from({ length: count }, () => new FakeQuestion());
  const guarded = services.map((service) => canary.guard(service));
  const ask = (at: number) =>
    guarded[at]?.ask({ ...blocking, wait }, forever).then(
      (said) => (told[at] = said.value),
      (error: unknown) => (told[at] = String(error)),
    );
  for (const at of services.keys()) void ask(at);
  const tell = async (outcome: Error | undefined) => {
    const asked = listened.ask(blocking, forever).catch(() => {});
    await (outcome === undefined ? rules.reply(answer(10, 'ab')) : rules.fail(outcome));
    await asked;
    await settle();
  };
  await settle();
  return { clock, canary, tell, services, told, ask };
}

test('rules that fail and are answered again have services read anew, one by one', async () => {
  const { clock, tell, services, told } = await flock(2);
  await tell(failure);
  await clock.advance(60_000);
  expect(services.map(({ aborted }) => aborted)).toEqual([0, 0]);
  await tell(undefined);
  await clock.advance(500);
  expect(services.map(({ asked }) => asked)).toEqual([[blocking, stale], [blocking]]);
  await services[0]?.reply(answer(12, 'news'));
  await clock.advance(500);
  expect(services.map(({ aborted }) => aborted)).toEqual([1, 1]);
  await services[1]?.fail(failure);
  expect(told).toEqual(['news', String(failure)]);
});

test('a query that is answered before its turn is not given up', async () => {
  const { clock, tell, services, told } = await flock(2);
  await tell(failure);
  await tell(undefined);
  await services[1]?.reply(answer(12, 'news'));
  await clock.advance(10_000);
  expect([told[1], services[1]?.aborted, services[1]?.asked.length, clock.sleeping]).toEqual([
    ...['news', 0, 1, 0],
  ]);
});

test('a query that began after the trouble is left alone', async () => {
  const { clock, tell, services, ask } = await flock(1);
  await tell(failure);
  await services[0]?.reply(answer(11, 'news'));
  await clock.advance(1_000);
  void ask(0);
  await tell(undefined);
  await clock.advance(10_000);
  expect(services[0]?.aborted).toBe(0);
});

test('what was read anew is asked often for as long as Consul may count the old connection, and not given up', async () => {
  const { clock, tell, services, ask } = await flock(1);
  const [service] = services;
  await tell(failure);
  await tell(undefined);
  await clock.advance(0);
  await service?.reply(answer(10, 'ab'));
  void ask(0);
  expect(service?.asked.at(-1)).toEqual({ ...blocking, wait: 22_500 });
  await tell(failure);
  await tell(undefined);
  await clock.advance(10_000);
  expect(service?.aborted).toBe(1);
  await service?.reply(answer(10, 'ab'));
  await clock.advance(blocking.wait * (17 / 16));
  void ask(0);
  expect(service?.asked.at(-1)).toEqual(blocking);
});

test('queries that end soon by themselves are not given up', async () => {
  const { clock, tell, services } = await flock(3, 45_000);
  await tell(failure);
  await tell(undefined);
  await clock.advance(10_000);
  expect(services.map(({ aborted }) => aborted)).toEqual([0, 0, 0]);
});

test('rules that get no answer at all for a while lose the services too', async () => {
  const { clock, tell, told } = await flock(2, 45_000);
  await tell(silence);
  await clock.advance(4_999);
  await tell(silence);
  expect(told).toEqual([]);
  await clock.advance(1);
  await tell(silence);
  expect(told).toEqual([String(silence), String(silence)]);
});

test('rules that are answered, if only by an error, lose nothing', async () => {
  const { clock, tell, told } = await flock(1);
  for (let tries = 0; tries < 5; tries += 1) {
    await tell(failure);
    await clock.advance(10_000);
  }
  expect(told).toEqual([]);
});

test('rules that are refused have services read anew, once', async () => {
  const { clock, tell, services } = await flock(1);
  await tell(refusal);
  await clock.advance(1_000);
  expect(services[0]?.asked).toEqual([blocking, stale]);
  await services[0]?.reply(answer(10, 'ab'));
  await tell(refusal);
  await tell(undefined);
  await clock.advance(10_000);
  expect(services[0]?.asked).toHaveLength(2);
});

test('a long query that fails alone is followed by short ones for an hour, as behind a proxy that hangs up', async () => {
  const { clock, services, ask } = await flock(1);
  const [service] = services;
  await clock.advance(60_000);
  await service?.fail(failure);
  const waits: number[] = [];
  for (const minutes of [1, 58, 2]) {
    await clock.advance(minutes * 60_000);
    void ask(0);
    await settle();
    const how = service?.pending.how;
    if (how?.kind === 'blocking') waits.push(how.wait);
    await service?.reply(answer(10, 'ab'));
  }
  expect(waits).toEqual([22_500, 22_500, blocking.wait]);
});

test('a long query that fails with the rules, or soon, is followed by long ones', async () => {
  const { clock, tell, services, ask } = await flock(2);
  await clock.advance(30_000);
  await services[1]?.fail(failure);
  await clock.advance(30_000);
  await services[0]?.fail(failure);
  await clock.advance(1_000);
  await tell(failure);
  await tell(undefined);
  for (const at of [0, 1]) void ask(at);
  expect(services.map(({ asked }) => asked.at(-1))).toEqual([blocking, blocking]);
});

test('a watch that is closed leaves no timer, and its query ends', async () => {
  const { clock, canary, tell } = await flock(0);
  const closing = new AbortController();
  const service: Question<string> & { readonly aborted: number } = new FakeQuestion();
  const asked = canary.guard(service).ask(blocking, closing.signal);
  await tell(failure);
  await tell(undefined);
  closing.abort(new Error('closed'));
  await expect(asked).rejects.toThrow('closed');
  await clock.advance(0);
  expect([service.aborted, clock.sleeping]).toEqual([1, 0]);
});

test('reads that do not block are passed on as they are', async () => {
  const { canary } = await flock(0);
  const service = new FakeQuestion();
  const asked = canary.guard(service).ask({ kind: 'consistent' }, forever);
  await service.reply(answer(1, 'a'));
  expect([service.asked, (await asked).value]).toEqual([[{ kind: 'consistent' }], 'a']);
});
