/** Which kernels are read while somebody looks, in which order and how often. Time is a fake. */
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  DeniedReadings,
  type Signs,
  type WatchedNamespace,
} from '../../../../src/daemon/watch/denied-readings.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

interface FakeNamespace extends WatchedNamespace {
  traffic: number;
  denials: number;
}

const namespace = (id: string, mode: WatchedNamespace['mode'] = 'enforce'): FakeNamespace => ({
  ...{ id, mode, traffic: 0, denials: 0 },
});

/** `took`: milliseconds of a reading. */
function watch(namespaces: readonly FakeNamespace[], { took = 10, areVisible = true } = {}) {
  const read: (readonly [string, number])[] = [];
  const atReading = new Map(namespaces.map(({ id }) => [id, '0']));
  const readings = new DeniedReadings<FakeNamespace>({
    namespaces: () => namespaces,
    signs: async ({ traffic, denials }): Promise<Signs | undefined> =>
      areVisible ? { traffic: `${traffic}`, denials: `${denials}` } : undefined,
    trafficAtReading: ({ id }) => atReading.get(id),
    read: async ({ id, traffic }) => {
      read.push([id, Date.now()]);
      atReading.set(id, `${traffic}`);
      await new Promise((resolve) => setTimeout(resolve, took));
    },
    onRead: () => {},
    now: Date.now,
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  });
  onTestFinished(() => readings.close());
  return { read, readings };
}

const sends = (one: FakeNamespace, denied = 0): void => {
  one.traffic += 1;
  one.denials += denied;
};

test('a namespace that sends nothing is not read', async () => {
  const { read } = watch([namespace('web')]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read).toEqual([]);
});

test('one whose connections fail is read within a second', async () => {
  const web = namespace('web');
  const { read } = watch([namespace('other'), web]);
  await vi.advanceTimersByTimeAsync(5_000);
  sends(web, 1);
  await vi.advanceTimersByTimeAsync(500);
  expect(read.map(([id]) => id)).toEqual(['web']);
});

test('one that only sends is read every few seconds', async () => {
  const web = namespace('web');
  const { read } = watch([web]);
  for (let second = 0; second < 30; second += 1) {
    sends(web);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(read.length).toBeGreaterThanOrEqual(5);
  expect(read.length).toBeLessThanOrEqual(7);
});

test('one in audit mode, where nothing fails, is read each second', async () => {
  const web = namespace('web', 'audit');
  const { read } = watch([web]);
  for (let second = 0; second < 10; second += 1) {
    sends(web);
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(read.length).toBeGreaterThanOrEqual(6);
  expect(read.length).toBeLessThanOrEqual(10);
});

test('a denial does not wait for hundreds that are busy', async () => {
  const many = Array.from({ length: 300 }, (_, index) => namespace(`busy-${index}`));
  const web = namespace('web');
  const { read } = watch([...many, web]);
  await vi.advanceTimersByTimeAsync(1_000);
  for (const one of many) sends(one);
  await vi.advanceTimersByTimeAsync(2_000);
  sends(web, 1);
  const from = Date.now();
  await vi.advanceTimersByTimeAsync(1_000);
  const [, at = Number.NaN] = read.find(([id]) => id === 'web') ?? [];
  expect(at - from).toBeLessThan(800);
});

test('readings that are containers take a part of the time, and all have their turn', async () => {
  const all = ['a', 'b', 'c'].map((id) => namespace(id));
  const { read } = watch(all, { took: 500, areVisible: false });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read.length * 500).toBeLessThanOrEqual(0.25 * 60_000);
  const turns = all.map(({ id }) => read.filter(([one]) => one === id).length);
  expect(Math.max(...turns) - Math.min(...turns)).toBeLessThanOrEqual(1);
});

test('nothing is read after the end', async () => {
  const web = namespace('web');
  const { read, readings } = watch([web]);
  readings.close();
  sends(web, 1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(read).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
