/** The reconciler with features of a test: it knows none of the program's. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Planned } from '../../../src/common/plan.ts';
import type { Driver, Target } from '../../../src/reconciler/driver.ts';
import type { Outcome } from '../../../src/reconciler/reconcile.ts';
import { Reconciler, type ReconcilerOptions } from '../../../src/reconciler/reconciler.ts';
import { eventually } from '../../support/eventually.ts';

const WAIT = { timeout: 20_000 };

type Text = string;
type Found = string | undefined;

/** Texts by name: what is there, and what is done to it. */
class FakeDriver implements Driver<Text, Found> {
  readonly feature: string;
  readonly after: readonly string[];
  readonly texts = new Map<string, string>();
  readonly calls: string[] = [];
  /** Consulted before each apply; a test throws from here, or waits. */
  beforeApply: (name: string) => Promise<void> = async () => {};

  constructor(feature = 'text', after: readonly string[] = []) {
    this.feature = feature;
    this.after = after;
  }

  isSame = (one: Text, other: Text): boolean => one === other;
  isInSync = (target: Target<Text, Found>, found: Found): boolean => found === target.desired;
  isAbsent = (found: Found): boolean => found === undefined;
  isGone = (error: Error): boolean => error.message === 'gone';

  async inspect({ name }: Target<Text, Found>): Promise<Found> {
    this.calls.push(`inspect ${name}`);
    return this.texts.get(name);
  }

  async apply({ name, desired }: Target<Text, Found>): Promise<Found> {
    this.calls.push(`apply ${name} ${desired}`);
    await this.beforeApply(name);
    this.texts.set(name, desired);
    return desired;
  }

  async release({ name }: Target<Text, Found>): Promise<Found> {
    this.calls.push(`release ${name}`);
    this.texts.delete(name);
    return undefined;
  }
}

function begin(driver: FakeDriver, options: Partial<ReconcilerOptions> = {}) {
  const defects: unknown[] = [];
  const reconciler = new Reconciler({
    ...{ concurrency: 2, retry: { first: 5, most: 20 }, driftInterval: 3_600_000 },
    ...{ random: () => 0.5, now: Date.now, onDefect: (error: unknown) => defects.push(error) },
    ...options,
  });
  onTestFinished(() => reconciler.close());
  return { reconciler, ...take(reconciler, driver) };
}

function take(reconciler: Reconciler, driver: FakeDriver) {
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  const feature = reconciler.add(driver, {
    ended: (_state, outcome) => outcomes.push(outcome),
    failed: (_state, error) => failures.push(error.message),
  });
  const plan = (texts: Readonly<Record<string, string>>, wait?: number) =>
    feature.sync(
      new Map(
        Object.entries(texts).map(([name, desired]): [string, Planned<Text>] => [
          name,
          { kind: 'apply', desired, ...(wait !== undefined && { wait }) },
        ]),
      ),
      (name) => name !== 'gone',
    );
  const condition = (name: string) => feature.state(name)?.condition;
  return { driver, feature, plan, condition, outcomes, failures };
}

describe('what is desired', () => {
  test('is applied once, and left alone while it is as desired', async () => {
    const { plan, reconciler, driver, outcomes, condition } = begin(new FakeDriver());
    plan({ a: 'one' });
    expect(condition('a')).toBe('pending');
    await reconciler.idle();
    plan({ a: 'one' });
    await reconciler.idle();
    expect(driver.calls).toEqual(['inspect a', 'apply a one']);
    expect(outcomes).toEqual(['applied']);
    expect(condition('a')).toBe('inSync');
  });

  test('that was there before is only inspected', async () => {
    const driver = new FakeDriver();
    driver.texts.set('a', 'one');
    const { plan, reconciler, outcomes } = begin(driver);
    plan({ a: 'one' });
    await reconciler.idle();
    expect([driver.calls, outcomes]).toEqual([['inspect a'], ['unchanged']]);
  });

  test('is released where the plan has no word on it, and forgotten where its place is gone', async () => {
    const { plan, reconciler, driver, condition, feature } = begin(new FakeDriver());
    plan({ a: 'one', gone: 'two' });
    await reconciler.idle();
    plan({});
    await reconciler.idle();
    expect(Object.fromEntries(driver.texts)).toEqual({ gone: 'two' });
    expect(condition('a')).toBe('released');
    expect([...feature.states()].map(({ name }) => name)).toEqual(['a']);
  });

  test('in the newest plan wins, with one job for a name at a time', async () => {
    const driver = new FakeDriver();
    const { plan, reconciler } = begin(driver);
    const goOn = Promise.withResolvers<void>();
    let running = 0;
    driver.beforeApply = async () => {
      running += 1;
      expect(running).toBe(1);
      await goOn.promise;
      running -= 1;
    };
    plan({ a: '1' });
    await eventually(() => expect(running).toBe(1));
    for (const text of ['2', '3', '4']) plan({ a: text });
    goOn.resolve();
    await reconciler.idle();
    expect(driver.calls.filter((call) => call.startsWith('apply'))).toEqual(['apply a 1', 'apply a 4']);
  });

  test('waits for a better plan no longer than it may, whatever comes meanwhile', async () => {
    const { plan, reconciler, driver, condition } = begin(new FakeDriver());
    plan({ a: 'less' }, 40);
    await new Promise((resolve) => setTimeout(resolve, 25));
    plan({ a: 'still less' }, 40);
    expect([driver.calls, condition('a')]).toEqual([[], 'pending']);
    await new Promise((resolve) => setTimeout(resolve, 25));
    await reconciler.idle();
    expect(driver.texts.get('a')).toBe('still less');
    plan({ a: 'better' });
    await reconciler.idle();
    expect(driver.texts.get('a')).toBe('better');
  });
});

describe('a failure', () => {
  test('is reported once, is tried again until it works, and does not hold up others', async () => {
    const driver = new FakeDriver();
    const { plan, reconciler, failures, condition } = begin(driver, { concurrency: 1 });
    let left = 3;
    driver.beforeApply = async (name) => {
      if (name === 'bad' && left-- > 0) throw new Error('no room');
    };
    plan({ bad: 'one', good: 'two' });
    await reconciler.idle();
    expect(condition('bad')).toBe('failed');
    expect(condition('good')).toBe('inSync');
    await eventually(() => expect(condition('bad')).toBe('inSync'));
    expect(failures).toEqual(['no room']);
  });

  test('because its place is gone is no news, unless it stays', async () => {
    const driver = new FakeDriver();
    const { plan, reconciler, failures, condition } = begin(driver);
    driver.beforeApply = async () => {
      throw new Error('gone');
    };
    plan({ a: 'one' });
    await reconciler.idle();
    expect([failures, condition('a')]).toEqual([[], 'pending']);
    await eventually(() => expect(failures).toEqual(['gone']));
  });
});

test('drift is found by an inspection from time to time, and mended', async () => {
  const driver = new FakeDriver();
  const { plan, reconciler } = begin(driver, { driftInterval: 20 });
  plan({ a: 'one' });
  await reconciler.idle();
  driver.texts.set('a', 'altered');
  await eventually(() => expect(driver.texts.get('a')).toBe('one'));
});

describe('features', () => {
  test('share one queue, and begin only when those that come first are quiet', async () => {
    const order: string[] = [];
    const drivers = [
      new FakeDriver('network'),
      new FakeDriver('attach', ['network']),
      new FakeDriver('host', ['attach']),
    ];
    const [network] = drivers;
    const reconciler = begin(new FakeDriver('other')).reconciler;
    const taken = drivers.map((driver) => {
      driver.beforeApply = async (name) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${driver.feature} ${name}`);
      };
      return take(reconciler, driver);
    });
    for (const { plan } of taken.toReversed()) plan({ a: 'one', b: 'two' });
    await eventually(() => expect(order).toHaveLength(6));
    expect(order.map((one) => one.split(' ')[0])).toEqual([
      ...['network', 'network', 'attach', 'attach', 'host', 'host'],
    ]);
    // One that fails holds up nobody.
    network?.texts.clear();
    if (network !== undefined) network.beforeApply = () => Promise.reject(new Error('no room'));
    taken[0]?.plan({ a: 'three' });
    taken[2]?.plan({ a: 'three' });
    await eventually(() => expect(drivers[2]?.texts.get('a')).toBe('three'));
  });

  test('wait for no inspection of what is there', async () => {
    const [passages, host] = [new FakeDriver('passages'), new FakeDriver('host', ['passages'])];
    const { reconciler, ...before } = begin(passages);
    const after = take(reconciler, host);
    before.plan({ a: 'kept' });
    after.plan({ a: 'one' });
    await vi.waitFor(() => expect(host.texts.get('a')).toBe('one'), WAIT);
    const inspect = passages.inspect.bind(passages);
    const goOn = Promise.withResolvers<void>();
    onTestFinished(() => goOn.resolve());
    passages.inspect = (target) => goOn.promise.then(() => inspect(target));
    before.feature.verify('a');
    after.plan({ a: 'two' });
    await vi.waitFor(() => expect(host.texts.get('a')).toBe('two'), WAIT);
    // A change is waited for, also while the inspection goes on.
    before.plan({ a: 'moved' });
    after.plan({ a: 'three' });
    await new Promise((done) => setTimeout(done, 20));
    expect(host.texts.get('a')).toBe('two');
    goOn.resolve();
    await vi.waitFor(() => expect(host.texts.get('a')).toBe('three'), WAIT);
    expect(passages.texts.get('a')).toBe('moved');
  });

  test('that come after themselves are refused', () => {
    const { reconciler } = begin(new FakeDriver('one', ['two']));
    expect(() => reconciler.add(new FakeDriver('two', ['one']))).toThrow('feature two comes after itself');
  });
});

test('once it is closed nothing begins, and what runs is told and awaited', async () => {
  const driver = new FakeDriver();
  const { plan, reconciler } = begin(driver);
  const goOn = Promise.withResolvers<void>();
  driver.beforeApply = () => goOn.promise;
  plan({ a: 'one' });
  await eventually(() => expect(driver.calls).toContain('apply a one'));
  let closed = false;
  const closing = reconciler.close().then(() => (closed = true));
  plan({ b: 'two' });
  await Promise.resolve();
  expect(closed).toBe(false);
  goOn.resolve();
  await closing;
  expect(driver.calls).not.toContain('inspect b');
});
