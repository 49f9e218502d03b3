/**
 * Decides whether a result of Consul is accepted, from the known state, the result and earlier suspicions. Pure.
 *
 * A wrong result here takes firewall rules away from running programs, so a suspicious one is read again with
 * full consistency first:
 * - a stale result whose server has no leader or has not heard of it for long, that is older than the known
 *   result (its index went backwards), or that has other content under the same index;
 * - a result with nothing in it, where there was something. It is accepted only if the result before it was
 *   empty too, and if it is itself consistent.
 *
 * Even then an empty result is suspect if its index is not beyond the index of the last result with content. A
 * deletion always increases the index (tried: KV tombstones, the last instance of a service), so this Consul has lost
 * its history: it was restarted empty, or from an old snapshot. The last known value stays (fail-static) with an error
 * until something is listed again. For rules that is any key below the path, also the folder's own; by that an
 * operator confirms that there are no rules. Services reappear by themselves, because agents register them again
 * within minutes: a service that is still absent after `timeout` is gone.
 *
 * Not detected: an empty Consul whose index is already beyond the known one.
 */
import type { QueryResult } from './query.ts';

export interface Known {
  readonly digest: string;
  readonly index: bigint;
  readonly listed: ReadonlySet<string>;
}

export interface Suspicion {
  /** The previous result was empty, although there was content before. */
  readonly emptyBefore: boolean;
  /** When the loss of the history was detected, in ms. */
  readonly lostSince: number | undefined;
}

export const noSuspicion: Suspicion = { emptyBefore: false, lostSince: undefined };

export interface Validation {
  /** `retry`: read again, consistently. `suspect`: keep the known value, report why, and go on watching. */
  readonly kind: 'accept' | 'retry' | 'suspect';
  readonly suspicion: Suspicion;
}

export interface Circumstances {
  readonly consistent: boolean;
  readonly now: number;
  /** How long a lost history is suspect, in ms. */
  readonly timeout: number;
}

type Result = Omit<QueryResult<unknown>, 'value'>;

/** A server without contact to its leader for this long, in ms, is not trusted alone. */
const LONGEST_SILENCE = 5_000;

const accept: Validation = { kind: 'accept', suspicion: noSuspicion };

export function validate(
  known: Known | undefined,
  result: Result,
  suspicion: Suspicion,
  at: Circumstances,
): Validation {
  const isGone = known !== undefined && known.listed.size > 0 && result.listed.size === 0;
  if (isGone) return validateEmpty(known.index, result.index, suspicion, at);
  return at.consistent || isTrustworthy(known, result) ? accept : { kind: 'retry', suspicion };
}

function validateEmpty(known: bigint, index: bigint, suspicion: Suspicion, at: Circumstances): Validation {
  const { emptyBefore, lostSince = index > known ? undefined : at.now } = suspicion;
  if (!at.consistent || !emptyBefore)
    return { kind: 'retry', suspicion: { ...suspicion, emptyBefore: true } };
  if (lostSince === undefined || at.now - lostSince >= at.timeout) return accept;
  return { kind: 'suspect', suspicion: { emptyBefore: true, lostSince } };
}

function isTrustworthy(
  known: Known | undefined,
  { index, digest, leaderKnown, lastContact }: Result,
): boolean {
  if (!leaderKnown || lastContact > LONGEST_SILENCE) return false;
  return known === undefined || index > known.index || (index === known.index && digest === known.digest);
}

/** The names that were listed before and are not now. */
export const missingFrom = (known: Known | undefined, { listed }: Result): readonly string[] =>
  [...(known?.listed ?? [])].filter((name) => !listed.has(name));
