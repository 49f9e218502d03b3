import { expect, it } from 'vitest';
import { FairSlots } from '../../../src/name-proxy/fair-slots.ts';

/** Jobs that end when they are told to, and the order in which they began. */
const setup = (most: number, assured = 0) => {
  const slots = new FairSlots(most, assured);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (asker: string, name: string) =>
    slots.run(asker, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { begun, run, end };
};

it('runs a bounded number of jobs at once', async () => {
  const { begun, run, end } = setup(2);
  for (const name of ['1', '2', '3', '4']) void run('a', name);
  await new Promise(setImmediate);
  expect(begun).toEqual(['1', '2']);
  await end('1');
  expect(begun).toEqual(['1', '2', '3']);
  await end('3');
  await end('2');
  await end('4');
  void run('a', '5');
  expect(begun).toEqual(['1', '2', '3', '4', '5']);
});

it('gives each asker its turn, however many jobs another one has', async () => {
  const { begun, run, end } = setup(1);
  for (const name of ['a1', 'a2', 'a3', 'a4']) void run('a', name);
  for (const name of ['b1', 'b2']) void run('b', name);
  for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) await end(name);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
});

it('runs a few jobs of each asker at once, while others hold all slots and do not end', async () => {
  const { begun, run, end } = setup(2, 1);
  for (const name of ['a1', 'a2', 'a3']) void run('a', name);
  for (const name of ['b1', 'b2']) void run('b', name);
  await new Promise(setImmediate);
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  // One more than there are slots: nothing begins.
  await end('b1');
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  void run('b', 'b3');
  expect(begun.at(-1)).toBe('b3');
  await end('b3');
  for (const name of ['a1', 'a2']) await end(name);
  expect(begun.slice(4)).toEqual(['a3', 'b2']);
});

it('has its slot back after a job that failed', async () => {
  const slots = new FairSlots(1);
  await expect(slots.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await slots.run('a', () => Promise.resolve(1))).toBe(1);
});
