/**
 * Conntrack marks, so that rules about destinations and rules about callers can share the one mark of a flow. A mark from
 * `0xe0000000` on is that of a flow that began outside: nothing else sets one. Its other 28 bits tell under which text
 * about callers the flow was let in; without such a text they are 0.
 *
 * Only rules about destinations keep a container from forging a call. So rules about callers use this range where the other
 * rules have marked the flow, and else one that says nothing to these: from `0xf0000000` on, with the same 28 bits.
 */

/** Of a flow that began outside, with `CALLED_MASK`. */
export const CALLED = '0xe0000000';
export const CALLED_MASK = '0xf0000000';

/** Of a flow that rules about callers let in while there were no others, with the same mask. */
export const ALONE = '0xf0000000';

const CALLED_BITS = 0xe;
const ALONE_BITS = 0xf;

/** Marks of flows from outside, in templates that compare the whole mark. */
export const INBOUND = 1;
/** Of TCP connections from outside that are older than the first rules. */
export const OLDER = 2;

/** Of flows to a destination that a text, or a name, allows: 32 bits of a digest, outside of all ranges above. 0 is an unmarked flow. */
export function egressMark(digest: string): string {
  const bits = Number.parseInt(digest.slice(0, 8), 16);
  if (bits <= OLDER) return mark(bits + OLDER + 1);
  return mark(bits >>> 28 >= CALLED_BITS ? bits - 2 ** 29 : bits);
}

/** Of flows of callers that a text lets in: 28 bits of its fingerprint. */
export function ingressGeneration(fingerprint: string): string {
  return mark(CALLED_BITS * 2 ** 28 + generationBits(fingerprint));
}

/** The same for flows that rules about destinations have not marked. */
export function aloneGeneration(fingerprint: string): string {
  return mark(ALONE_BITS * 2 ** 28 + generationBits(fingerprint));
}

const generationBits = (fingerprint: string): number =>
  Math.max(Number.parseInt(fingerprint.slice(0, 7), 16), 1);

const mark = (bits: number): string => `0x${bits.toString(16).padStart(8, '0')}`;
