import { expect, test, vi } from 'vitest';
import { WorkQueue } from '../../../../src/sources/docker/work-queue.ts';

/** Visits that last until they are let go. */
function startVisits(concurrency: number) {
  const begun: string[] = [];
  const open = new Map<string, () => void>();
  const visit = (id: string) => {
    begun.push(id);
    return new Promise<void>((resolve) => open.set(id, resolve));
  };
  const revisits = new WorkQueue(visit, concurrency);
  const end = async (id: string) => {
    open.get(id)?.();
    open.delete(id);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { revisits, begun, open, end };
}

test('an id marked twice while it waits is visited once', async () => {
  const { revisits, begun, end } = startVisits(1);
  void revisits.mark('a');
  void revisits.mark('b');
  void revisits.mark('b');
  await end('a');
  await end('b');
  expect(begun).toEqual(['a', 'b']);
});

test('an id marked during its visit is visited again afterwards, and never twice at once', async () => {
  const { revisits, begun, end } = startVisits(5);
  void revisits.mark('a');
  const again = revisits.mark('a');
  expect(begun).toEqual(['a']);
  await end('a');
  expect(begun).toEqual(['a', 'a']);
  await end('a');
  await again;
});

test('a few at a time, the urgent ones first', async () => {
  const { revisits, begun, open, end } = startVisits(2);
  for (const id of ['a', 'b', 'c', 'd']) void revisits.mark(id);
  void revisits.markUrgent('x');
  expect(open.size).toBe(2);
  await end('a');
  expect(begun).toEqual(['a', 'b', 'x']);
});

test('a visit that fails fails for who asked, and the others go on', async () => {
  const revisits = new WorkQueue(async (id) => {
    if (id === 'bad') throw new Error('no');
  }, 1);
  const bad = revisits.mark('bad');
  const good = revisits.mark('good');
  await expect(bad).rejects.toThrow('no');
  await good;
});

test('nobody waits for what was cleared', async () => {
  const { revisits, begun } = startVisits(1);
  void revisits.mark('a');
  const waiting = revisits.mark('b');
  revisits.clear();
  await waiting;
  expect(begun).toEqual(['a']);
});

test('visits that never end hold up the others for a second at most, and are not made twice', async () => {
  vi.useFakeTimers();
  try {
    const begun: string[] = [];
    const visit = (id: string) => {
      begun.push(id);
      return id.startsWith('silent') ? new Promise<void>(() => {}) : Promise.resolve();
    };
    const revisits = new WorkQueue(visit, 2);
    for (let index = 0; index < 4; index++) void revisits.mark(`silent${index}`);
    const good = revisits.markUrgent('good');
    await vi.advanceTimersByTimeAsync(1_000);
    await good;
    void revisits.mark('silent0');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(begun.filter((id) => id === 'silent0')).toHaveLength(1);
    expect(begun).toHaveLength(5);
  } finally {
    vi.useRealTimers();
  }
});
