import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framed, splitMessages } from '../../../src/dns/stream.ts';

describe('messages over TCP', () => {
  it('are the same however their bytes arrive', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 6 });
    const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 });
    fc.assert(
      fc.property(messages, cuts, (sent, sizes) => {
        const whole = new Uint8Array(Buffer.concat(sent.map(framed)));
        const received: number[][] = [];
        let waiting = new Uint8Array(0);
        for (let at = 0, turn = 0; at < whole.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const split = splitMessages(Buffer.concat([waiting, whole.subarray(at, at + size)]), 100);
          received.push(...split.messages.map((one) => [...one]));
          waiting = split.rest.slice();
          at += size;
        }
        expect(received).toEqual(sent.map((one) => [...one]));
        expect(waiting).toHaveLength(0);
      }),
    );
  });

  it('are at most as many as may be taken; the others wait', () => {
    const whole = new Uint8Array(Buffer.concat([1, 2, 3].map((byte) => framed(Uint8Array.of(byte)))));
    const { messages, rest } = splitMessages(whole, 2);
    expect(messages.map(([byte]) => byte)).toEqual([1, 2]);
    expect(splitMessages(rest, 2).messages.map(([byte]) => byte)).toEqual([3]);
  });
});
