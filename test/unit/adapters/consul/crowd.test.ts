/** Many blocking queries over few connections. */
import { describe, expect, test } from 'vitest';
import { Crowd, Slots } from '../../../../src/adapters/consul/crowd.ts';
import { FakeQuestion, settle } from './support.ts';

const forever = new AbortController().signal;
/** Few or many, they may hang as long. */
const alike = (wait: number) => ({ few: wait, many: wait });

describe('slots', () => {
  test('let in as many as there are, first come first served', async () => {
    const slots = new Slots(2);
    const log: string[] = [];
    const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const all = gates.map((gate, at) =>
      slots.use(forever, async () => {
        log.push(`in ${at}`);
        await gate.promise;
      }),
    );
    await settle();
    expect(log).toEqual(['in 0', 'in 1']);
    gates[1]?.resolve();
    await settle();
    expect(log).toEqual(['in 0', 'in 1', 'in 2']);
    for (const gate of gates) gate.resolve();
    await Promise.all(all);
    expect(log).toEqual(['in 0', 'in 1', 'in 2', 'in 3']);
  });

  test('are free again after an error, and after waiting in vain', async () => {
    const slots = new Slots(1);
    await expect(slots.use(forever, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const gate = Promise.withResolvers<void>();
    const first = slots.use(forever, () => gate.promise);
    const impatient = new AbortController();
    const second = slots.use(impatient.signal, async () => 'never');
    impatient.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    gate.resolve();
    await first;
    expect(await slots.use(forever, async () => 'in')).toBe('in');
  });

  test('are not given to who does not want one any more', async () => {
    await expect(new Slots(1).use(AbortSignal.abort(new Error('gone')), async () => 1)).rejects.toThrow(
      'gone',
    );
  });
});

describe('a crowd', () => {
  test('blocks for as long as asked while there is room, and takes turns when there is none', () => {
    const crowd = new Crowd(100);
    const leave = Array.from({ length: 100 }, () => crowd.join());
    expect(crowd.wait(alike(45_000))).toBe(45_000);
    leave.push(...Array.from({ length: 300 }, () => crowd.join()));
    // A hundred at a time for two seconds each: fifty a second.
    expect(crowd.wait(alike(45_000))).toBe(2_000);
    expect(crowd.wait(alike(50))).toBe(50);
    leave.push(...Array.from({ length: 4_600 }, () => crowd.join()));
    expect(crowd.wait(alike(45_000))).toBe(2_000);
    for (const one of leave) one();
    leave[0]?.();
    crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(45_000);
  });

  test('with room for all blocks the longer the more there are: two queries a second for all together', () => {
    const crowd = new Crowd(10_000);
    const limits = { few: 45_000, many: 560_000 };
    const waitOf = (members: number) => {
      const leave = Array.from({ length: members }, () => crowd.join());
      const wait = crowd.wait(limits);
      for (const one of leave) one();
      return wait;
    };
    expect([1, 90, 91, 500, 1_120, 5_000].map(waitOf)).toEqual([
      ...[45_000, 45_000, 45_500, 250_000, 560_000, 560_000],
    ]);
  });

  test('of a few more than there is room for all have their turn within two seconds', () => {
    const crowd = new Crowd(50);
    for (let member = 0; member < 80; member += 1) crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(1_250);
  });

  test('with very little room the turns do not become shorter than a quarter of a second', () => {
    const crowd = new Crowd(2);
    for (let member = 0; member < 80; member += 1) crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(250);
  });

  test('reads that do not block do not stand behind those that do', async () => {
    const crowd = new Crowd(1);
    const question = new FakeQuestion();
    const { ask } = crowd.admit(question);
    for (const index of [1n, 2n]) void ask({ kind: 'blocking', index, wait: 1 }, forever);
    void ask({ kind: 'consistent' }, forever);
    await settle();
    expect(question.asked).toEqual([{ kind: 'blocking', index: 1n, wait: 1 }, { kind: 'consistent' }]);
  });
});
