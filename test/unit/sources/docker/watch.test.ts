/** What the value is after whatever happened, never how it came about. */
import { expect, onTestFinished, test } from 'vitest';
import { EngineTimeout } from '../../../../src/sources/docker/errors.ts';
import { ContainerWatch, type WatchSettings } from '../../../../src/sources/docker/watch.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeEngine, httpError } from './fake-engine.ts';

const settings: WatchSettings = {
  relistEvery: 60_000,
  listLimit: 50,
  concurrency: 4,
  backoff: { first: 5, most: 20 },
  now: () => 1_000,
  steadyNow: () => 1_000,
  random: () => 0.5,
};

function startWatch(engine: FakeEngine, changes: Partial<WatchSettings> = {}) {
  const seen: string[][] = [];
  const names = () => [...(watch.value?.values() ?? [])].map(({ name }) => name).sort();
  const watch: ContainerWatch = new ContainerWatch(engine, { ...settings, ...changes }, () =>
    seen.push(names()),
  );
  onTestFinished(() => watch.close());
  const become = (...expected: string[]) => eventually(() => expect(names()).toEqual(expected));
  return { watch, seen, names, become };
}

const engineWith = (...ids: string[]) => {
  const engine = new FakeEngine();
  for (const id of ids) engine.names.set(id, id);
  return engine;
};

test('subscribes first, then lists', async () => {
  const engine = engineWith('a', 'b');
  const { watch, seen, become } = startWatch(engine);
  expect(watch.value).toBeUndefined();
  await become('a', 'b');
  expect(engine.calls.slice(0, 2)).toEqual(['events', 'list']);
  expect(seen).toEqual([['a', 'b']]);
  expect(watch.confirmedAt).toBe(1_000);
});

test('an Engine with no containers has been read too', async () => {
  const { watch, seen } = startWatch(engineWith());
  await eventually(() => expect(watch.value?.size).toBe(0));
  expect(seen).toEqual([[]]);
});

test('a container that starts after the list was made, before it was answered', async () => {
  const engine = engineWith('a');
  engine.whileListing = () => {
    engine.names.set('b', 'b');
    engine.tell('start', 'b');
    engine.whileListing = () => {};
  };
  await startWatch(engine).become('a', 'b');
});

test('start, rename, die, destroy', async () => {
  const engine = engineWith('a');
  const { become } = startWatch(engine);
  await become('a');
  engine.names.set('b', 'b');
  engine.tell('start', 'b');
  await become('a', 'b');
  engine.names.set('b', 'c');
  engine.tell('rename', 'b');
  await become('a', 'c');
  engine.names.delete('a');
  engine.tell('die', 'a');
  engine.tell('destroy', 'a');
  await become('c');
});

test('an event that changes nothing is no change, and a value that was handed out stays as it was', async () => {
  const engine = engineWith('a');
  const { watch, seen, become } = startWatch(engine);
  await become('a');
  const before = watch.value;
  engine.tell('update', 'a');
  await eventually(() => expect(engine.calls.filter((call) => call === 'inspect a')).toHaveLength(2));
  expect(watch.value).toBe(before);
  engine.names.set('b', 'b');
  engine.tell('start', 'b');
  await become('a', 'b');
  expect(before?.size).toBe(1);
  expect(seen).toEqual([['a'], ['a', 'b']]);
});

test('an event during an inspection is not swallowed by it', async () => {
  const engine = engineWith('a');
  const { become } = startWatch(engine);
  await become('a');
  const { promise, resolve } = Promise.withResolvers<void>();
  engine.trouble.set('a', promise);
  engine.tell('rename', 'a');
  await eventually(() => expect(engine.calls.at(-1)).toBe('inspect a'));
  engine.names.set('a', 'renamed');
  engine.tell('rename', 'a');
  engine.trouble.delete('a');
  resolve();
  await become('renamed');
});

test('events split over chunks, and several in one', async () => {
  const engine = engineWith();
  const { become } = startWatch(engine);
  await become();
  for (const id of ['a', 'b', 'c']) engine.names.set(id, id);
  const event = (id: string) => JSON.stringify({ Type: 'container', Action: 'start', Actor: { ID: id } });
  engine.say(event('a').slice(0, 20));
  await new Promise((resolve) => setImmediate(resolve));
  engine.say(`${event('a').slice(20)}\n${event('b')}\n${event('c')}\n`);
  await become('a', 'b', 'c');
});

test('an event that is not understood: all is looked at', async () => {
  const engine = engineWith('a');
  const { become } = startWatch(engine);
  await become('a');
  engine.names.set('b', 'b');
  engine.say('{"what":"is this"}\n');
  await become('a', 'b');
});

test('what no event told is found by the next list', async () => {
  const engine = engineWith('a');
  const { become } = startWatch(engine, { relistEvery: 20 });
  await become('a');
  engine.names.set('b', 'b');
  engine.names.delete('a');
  await become('b');
});

test('whoever looks the same in the next list is not inspected, unless it is young', async () => {
  const engine = engineWith('a', 'young');
  engine.fresh.add('young');
  const { become } = startWatch(engine, { relistEvery: 5 });
  await become('a', 'young');
  const inspected = (id: string) => engine.calls.filter((call) => call === `inspect ${id}`).length;
  await eventually(() => expect(inspected('young')).toBeGreaterThan(4));
  expect(inspected('a')).toBe(1);
  engine.names.set('a', 'renamed');
  await become('renamed', 'young');
});

test('all are inspected after a loss, and after an event that is not understood', async () => {
  const engine = engineWith('a');
  const { become } = startWatch(engine);
  const inspected = () => engine.calls.filter((call) => call === 'inspect a').length;
  await become('a');
  engine.cut();
  await eventually(() => expect(inspected()).toBe(2));
  engine.say('{"what":"is this"}\n');
  await eventually(() => expect(inspected()).toBe(3));
});

test('a stream that ends is opened again, and what happened meanwhile is found', async () => {
  const engine = engineWith('a');
  const { watch, become } = startWatch(engine);
  await become('a');
  engine.names.set('b', 'b');
  engine.cut();
  await become('a', 'b');
  await eventually(() => expect(watch.error).toBeUndefined());
});

test('the Engine is lost and comes back: the value is kept, the error says why', async () => {
  const engine = engineWith('a');
  const { watch, names, become } = startWatch(engine);
  await become('a');
  engine.down = true;
  engine.cut();
  await eventually(() => expect(watch.error?.message).toContain('down'));
  expect(names()).toEqual(['a']);
  engine.names.delete('a');
  engine.down = false;
  await become();
  expect(watch.error).toBeUndefined();
});

test('no value before the Engine was there once', async () => {
  const engine = engineWith('a');
  engine.down = true;
  const { watch, become } = startWatch(engine);
  await eventually(() => expect(watch.error?.message).toContain('down'));
  expect(watch.value).toBeUndefined();
  engine.down = false;
  await become('a');
});

test('a container that cannot be inspected holds up no other, and is tried again', async () => {
  const engine = engineWith('a', 'bad');
  engine.trouble.set('bad', new EngineTimeout('silent about bad'));
  const { watch, become } = startWatch(engine);
  await become('a');
  expect(watch.error?.message).toBe('silent about bad');
  expect(watch.unreadable).toEqual(new Set(['bad']));
  expect(watch.confirmedAt).toBeUndefined();
  engine.trouble.delete('bad');
  await become('a', 'bad');
  expect(watch.error).toBeUndefined();
  expect(watch.unreadable).toEqual(new Set());
});

test('containers of which the Engine tells nothing hold up no other, and are known once it does', async () => {
  const engine = engineWith('a', 'mute', 'dumb', 'still');
  const answer = Promise.withResolvers<void>();
  for (const id of ['mute', 'dumb', 'still']) engine.trouble.set(id, answer.promise);
  const { watch, become } = startWatch(engine);
  await become('a');
  expect(watch.confirmedAt).toBeUndefined();
  engine.names.set('b', 'b');
  engine.tell('start', 'b');
  await become('a', 'b');
  answer.resolve();
  await become('a', 'b', 'dumb', 'mute', 'still');
  await eventually(() => expect(watch.confirmedAt).toBe(1_000));
});

test.each([
  ['fails', () => Promise.reject(httpError(500, 'layer not known'))],
  ['takes too long', () => new Promise<never>((_, reject) => setTimeout(reject, 700))],
])(
  'an image whose inspection %s is unclear, holds up nothing, and is asked for again',
  async (_how, image) => {
    const engine = engineWith('a');
    engine.environment = ['EGRESSTRATOR_ENABLE=1'];
    engine.image = image;
    const { watch, become } = startWatch(engine);
    await become('a');
    expect(watch.value?.get('a')?.image).toBe('unknown');
    expect(watch.error).toBeUndefined();
    engine.image = async () => ({ id: 'sha256:0', labels: {} });
    await eventually(() => expect(watch.value?.get('a')?.image).toEqual({ environment: [], labels: {} }));
  },
);

test('all that cannot be read are counted', async () => {
  const engine = engineWith('a', 'bad', 'worse');
  for (const id of ['bad', 'worse']) engine.trouble.set(id, new EngineTimeout(`silent about ${id}`));
  const { watch, become } = startWatch(engine);
  await become('a');
  expect(watch.error?.message).toBe('silent about bad (and 1 more)');
});

test('one that was known and cannot be inspected any more is kept as it was', async () => {
  const engine = engineWith('a');
  const { watch, names, become } = startWatch(engine);
  await become('a');
  engine.trouble.set('a', httpError(500, 'layer not known'));
  engine.tell('update', 'a');
  await eventually(() => expect(watch.error?.message).toContain('layer not known'));
  expect(names()).toEqual(['a']);
});

test('the Engine dies while the first containers are inspected: that was no list', async () => {
  const engine = engineWith('a', 'b');
  engine.whileListing = () => {
    engine.down = true;
  };
  const { watch, become } = startWatch(engine);
  await eventually(() => expect(watch.error).toBeDefined());
  expect(watch.value).toBeUndefined();
  engine.whileListing = () => {};
  engine.down = false;
  await become('a', 'b');
});

test('nothing happens after close', async () => {
  const engine = engineWith('a');
  const { watch, seen, become } = startWatch(engine, { relistEvery: 10 });
  await become('a');
  watch.close();
  const calls = engine.calls.length;
  engine.names.set('b', 'b');
  engine.tell('start', 'b');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(engine.calls).toHaveLength(calls);
  expect(seen).toEqual([['a']]);
});
