/** Whoever sits at a terminal is told what takes long; nobody else is. */
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withProgress } from '../../../src/cli/progress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is printed while the work takes so many milliseconds. */
async function printed(isTTY: boolean, duration: number, fails = false): Promise<string> {
  let text = '';
  const write = (chunk: unknown, _encoding: string, done: () => void) => {
    text += String(chunk);
    done();
  };
  const stderr = Object.assign(new Writable({ write }), { isTTY });
  const work = () =>
    new Promise<string>((resolve, reject) =>
      setTimeout(() => (fails ? reject(new Error('no')) : resolve('done')), duration),
    );
  const result = withProgress('Loading rules', { stderr }, work).catch(() => 'failed');
  await vi.advanceTimersByTimeAsync(duration);
  expect(await result).toBe(fails ? 'failed' : 'done');
  return text;
}

test.each([
  ['longer than a second on a terminal', true, 1_500, 'Loading rules …\r\x1b[2K'],
  ['less than a second', true, 500, ''],
  ['long for a program', false, 5_000, ''],
])('what takes %s', async (_, isTTY, duration, text) => {
  expect(await printed(isTTY, duration)).toBe(text);
});

test('the line is taken away before what failed is told', async () => {
  expect(await printed(true, 2_000, true)).toBe('Loading rules …\r\x1b[2K');
});
