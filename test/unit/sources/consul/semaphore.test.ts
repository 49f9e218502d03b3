/** At most so many things at once. */
import { describe, expect, test } from 'vitest';
import { Slots } from '../../../../src/sources/consul/semaphore.ts';
import { settle } from './support.ts';

const forever = new AbortController().signal;

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
