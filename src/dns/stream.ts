/**
 * Messages over TCP: each after its length in two bytes, however the bytes arrive.
 */

/** The whole messages at the start of what has arrived, and the bytes that remain of it. */
export interface Split {
  readonly messages: readonly Uint8Array[];
  readonly rest: Uint8Array;
}

/** At most `most` messages; more stay in the rest. */
export const splitMessages = (arrived: Uint8Array, most: number): Split => {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (messages.length < most) {
    const [high, low] = [arrived[at], arrived[at + 1]];
    if (high === undefined || low === undefined) break;
    const end = at + 2 + high * 0x100 + low;
    if (end > arrived.length) break;
    messages.push(arrived.subarray(at + 2, end));
    at = end;
  }
  return { messages, rest: arrived.subarray(at) };
};

/** A message with its length before it. */
export const framed = (message: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(2 + message.length);
  frame.set([message.length >>> 8, message.length & 0xff]);
  frame.set(message, 2);
  return frame;
};
