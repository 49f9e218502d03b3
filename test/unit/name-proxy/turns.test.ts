import { expect, it } from 'vitest';
import { Turns } from '../../../src/name-proxy/turns.ts';

/** Turns of an event loop that the test moves, in which each work takes a quarter of a millisecond. */
const setup = () => {
  let now = 0;
  let next: (() => void)[] = [];
  const done: string[] = [];
  const turns = new Turns(
    () => now,
    (work) => next.push(work),
  );
  const run = (asker: string, name: string, most?: number): boolean =>
    turns.run(
      asker,
      () => {
        now += 0.25;
        done.push(name);
      },
      most,
    );
  const turn = (): readonly string[] => {
    const works = next;
    next = [];
    for (const work of works) work();
    return done.splice(0);
  };
  return { run, turn, done: () => done.splice(0), waits: () => next.length > 0, turns };
};

it('does work at once for half a millisecond, and the rest in later turns', () => {
  const { run, turn, done, waits } = setup();
  for (const name of ['1', '2', '3', '4', '5']) expect(run('a', name)).toBe(true);
  expect(done()).toEqual(['1', '2']);
  run('a', '6');
  expect(turn()).toEqual(['3', '4']);
  run('b', '7');
  expect(turn()).toEqual(['5', '7']);
  expect(turn()).toEqual(['6']);
  expect(turn()).toEqual([]);
  expect(waits()).toBe(false);
  run('a', '8');
  expect(done()).toEqual(['8']);
});

it('gives each its turn, and takes no more of one than it may have waiting', () => {
  const { run, turn, done } = setup();
  run('a', '0');
  run('a', '0');
  done();
  expect(['a1', 'a2', 'a3', 'a4'].map((name) => run('a', name, 3))).toEqual([true, true, true, false]);
  expect(run('b', 'b1', 3)).toBe(true);
  expect(turn()).toEqual(['a1', 'b1']);
  expect(turn()).toEqual(['a2', 'a3']);
});

it('goes on after an error', () => {
  const { run, turn, done, turns } = setup();
  run('a', '0');
  run('a', '0');
  turns.run('a', () => {
    throw new Error('no');
  });
  run('b', '1');
  done();
  expect(turn).toThrow('no');
  expect(turn()).toEqual(['1']);
});
