/** One job at a time for each key, the newest state last, urgent jobs first. */
import { describe, expect, test, vi } from 'vitest';
import { JobQueue, PRIORITY } from '../../../src/common/job-queue.ts';

/** A queue whose jobs end when the test says so. */
function controlled(concurrency: number) {
  const started: string[] = [];
  const running = new Map<string, { end: () => void; fail: () => void }>();
  const defects: unknown[] = [];
  const queue = new JobQueue<string>({
    concurrency,
    onDefect: (error) => defects.push(error),
    run: (key) => {
      started.push(key);
      if (running.has(key)) throw new Error(`${key} overlaps itself`);
      return new Promise<void>((resolve, reject) => {
        const after = (settle: () => void) => () => {
          running.delete(key);
          settle();
        };
        running.set(key, { end: after(resolve), fail: after(() => reject(new Error('broken'))) });
      });
    },
  });
  const end = async (key: string) => {
    running.get(key)?.end();
    await turn();
  };
  return { queue, started, running, defects, end };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

describe('JobQueue', () => {
  test('runs a key once however often it is requested while it waits', async () => {
    const { queue, started, end } = controlled(1);
    void queue.request('a', PRIORITY.refresh);
    await turn();
    for (let n = 0; n < 5; n += 1) void queue.request('b', PRIORITY.refresh);
    await end('a');
    await end('b');
    await queue.idle();
    expect(started).toEqual(['a', 'b']);
  });

  test('runs a key again when it is requested during its run, and never beside itself', async () => {
    const { queue, started, end, running } = controlled(4);
    void queue.request('a', PRIORITY.refresh);
    await turn();
    void queue.request('a', PRIORITY.refresh);
    void queue.request('a', PRIORITY.start);
    await turn();
    expect(started).toEqual(['a']);
    await end('a');
    expect(running.size).toBe(1);
    await end('a');
    await queue.idle();
    expect(started).toEqual(['a', 'a']);
  });

  test('lets starts pass refreshes, also when a waiting key becomes urgent', async () => {
    const { queue, started, end } = controlled(1);
    void queue.request('running', PRIORITY.refresh);
    await turn();
    void queue.request('check', PRIORITY.verify);
    void queue.request('refresh', PRIORITY.refresh);
    void queue.request('start', PRIORITY.start);
    void queue.request('check', PRIORITY.start);
    for (const key of ['running', 'start', 'check', 'refresh']) await end(key);
    expect(started).toEqual(['running', 'start', 'check', 'refresh']);
    await queue.idle();
  });

  test('never runs more at once than allowed', async () => {
    const { queue, running, end } = controlled(2);
    for (const key of ['a', 'b', 'c', 'd']) void queue.request(key, PRIORITY.refresh);
    await turn();
    expect([...running.keys()]).toEqual(['a', 'b']);
    await end('a');
    expect([...running.keys()]).toEqual(['b', 'c']);
    for (const key of ['b', 'c', 'd']) await end(key);
    await queue.idle();
  });

  test('goes on after a job that throws, and tells of it', async () => {
    const { queue, running, defects, end, started } = controlled(1);
    void queue.request('a', PRIORITY.refresh);
    await turn();
    void queue.request('a', PRIORITY.refresh);
    running.get('a')?.fail();
    await turn();
    await end('a');
    await queue.idle();
    expect(started).toEqual(['a', 'a']);
    expect(defects).toHaveLength(1);
  });

  test('on close forgets what waits and awaits what runs', async () => {
    const { queue, started, end } = controlled(1);
    void queue.request('a', PRIORITY.refresh);
    await turn();
    void queue.request('a', PRIORITY.refresh);
    void queue.request('b', PRIORITY.refresh);
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await turn();
    expect(closed).toBe(false);
    await end('a');
    await closing;
    expect(started).toEqual(['a']);
  });

  test('a request ends with a run that began after it, or when it is forgotten', async () => {
    const { queue, end } = controlled(1);
    const ended: string[] = [];
    const request = (key: string, name: string) =>
      queue.request(key, PRIORITY.refresh).then(() => ended.push(name));
    void request('a', 'a');
    void request('a', 'a again');
    void request('b', 'b');
    await end('a');
    expect(ended).toEqual(['a']);
    await end('b');
    expect(ended).toEqual(['a', 'b']);
    const forgotten = request('b', 'b again');
    const closing = queue.close();
    await forgotten;
    await end('a');
    await closing;
    expect(ended).toEqual(['a', 'b', 'b again', 'a again']);
  });

  test('jobs that never end hold up others for no longer than the releaseAfter, and are not run twice', async () => {
    vi.useFakeTimers();
    try {
      const begun: string[] = [];
      const run = (key: string) => {
        begun.push(key);
        return key.startsWith('silent') ? new Promise<void>(() => {}) : Promise.resolve();
      };
      const queue = new JobQueue({ concurrency: 2, releaseAfter: 1_000, run, onDefect: () => {} });
      for (let index = 0; index < 4; index++) void queue.request(`silent${index}`, PRIORITY.verify);
      const good = queue.request('good', PRIORITY.refresh);
      await vi.advanceTimersByTimeAsync(1_000);
      await good;
      void queue.request('silent0', PRIORITY.verify);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(begun.filter((key) => key === 'silent0')).toHaveLength(1);
      expect(begun).toHaveLength(5);
    } finally {
      vi.useRealTimers();
    }
  });
});
