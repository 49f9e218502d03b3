/**
 * Whether a result of Consul is accepted. Pure: what is known, the result, and the validation.
 *
 * A wrong result here takes firewall rules away from running programs, so a suspicious one is read again with
 * full consistency first:
 * - a stale result whose server has no leader, or has not heard of it for long, or is behind of what is known
 *   (its index went backwards), or has other content under the same index;
 * - a result with nothing in it, where there was something. It is accepted only if the result before it was
 *   empty too, and if it is itself consistent.
 *
 * Even then an empty result is suspect if its index is not beyond the one under which there was something. A
 * deletion always moves the index forward (tried: KV tombstones, the last instance of a service), so this
 * Consul has lost its history: it was restarted empty, or from an old snapshot. The last known value stays
 * (fail-static) and an error says so, until something is listed again. For rules that is any key below the
 * path, also the folder's own, and so an operator confirms that there shall be none. Services come back by
 * themselves, as agents register theirs again within minutes: what is still absent after `timeout` is gone.
 *
 * What this cannot see: an empty Consul whose index is already beyond the known one.
 */
import type { QueryResult } from './query.ts';

export interface Known {
  readonly digest: string;
  readonly index: bigint;
  readonly listed: ReadonlySet<string>;
}

export interface Suspicion {
  /** The result before was empty, where there was something. */
  readonly emptyBefore: boolean;
  /** Since when, in ms, the history is known to be lost. */
  readonly lostSince: number | undefined;
}

export const noSuspicion: Suspicion = { emptyBefore: false, lostSince: undefined };

export interface Validation {
  /** `retry`: read again, consistently. `suspect`: keep what is known, say why, and go on watching. */
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

/** A server that has not heard of its leader for this long, in ms, is not trusted alone. */
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

/** What was listed and is not any more. */
export const missingFrom = (known: Known | undefined, { listed }: Result): readonly string[] =>
  [...(known?.listed ?? [])].filter((name) => !listed.has(name));
