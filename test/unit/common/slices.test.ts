/** A long computation lets others run, and gives what it would give at once. */
import { expect, test } from 'vitest';
import { inSlices, type Steps } from '../../../src/common/slices.ts';

test('pauses whenever a slice is over, and only then', async () => {
  let [time, pauses] = [0, 0];
  function* long(): Steps<string> {
    for (let step = 0; step < 100; step++) {
      time += 1;
      yield;
    }
    return 'done';
  }
  const pause = async () => {
    pauses += 1;
    time += 50;
  };
  expect(await inSlices(long(), { now: () => time, pause })).toBe('done');
  expect(pauses).toBe(5);
});

test('others run meanwhile', async () => {
  let waiting = true;
  function* untilSomebodyElseRan(): Steps<string> {
    while (waiting) yield;
    return 'done';
  }
  setTimeout(() => {
    waiting = false;
  }, 0);
  expect(await inSlices(untilSomebodyElseRan())).toBe('done');
});

test('an error is that of the computation', async () => {
  // biome-ignore lint/correctness/useYield: it fails before.
  function* failing(): Steps<string> {
    throw new Error('broken');
  }
  await expect(inSlices(failing())).rejects.toThrow('broken');
});
