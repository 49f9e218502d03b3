/**
 * Whether an answer of Consul's is believed. Pure: what is known, the answer, a verdict.
 *
 * A wrong answer here takes away firewall rules from running programs, so what looks wrong is read
 * again with full consistency first:
 * - a stale answer whose server has no leader, or has not heard of it for long, or is behind of what
 *   is known (its index went backwards), or says something else under the same index;
 * - an answer with nothing in it, where there was something. It is believed only if the one before it
 *   was empty too, and it is itself consistent.
 *
 * Even then an empty answer is doubted if its index is not beyond the one under which there was
 * something. A deletion always moves the index forward (tried: KV tombstones, the last instance of a
 * service), so this Consul has lost its history: it was restarted empty, or from an old snapshot. The
 * last known state is kept (fail-static) and an error says so, until something is listed again. For
 * rules that is any key below the path, also the folder's own, and it is how an operator confirms that
 * there shall be none. Services come back by themselves, as agents register theirs again within
 * minutes: what is still absent after `patience` is believed to be gone.
 *
 * What this cannot see: an empty Consul whose index is already beyond the known one.
 */
import type { Answer } from './query.ts';

export interface Known {
  readonly digest: string;
  readonly index: bigint;
  readonly listed: ReadonlySet<string>;
}

export interface Doubts {
  /** The answer before was empty, where there was something. */
  readonly emptyBefore: boolean;
  /** Since when, in ms, the history is known to be lost. */
  readonly lostSince: number | undefined;
}

export const noDoubts: Doubts = { emptyBefore: false, lostSince: undefined };

export type Verdict =
  | { readonly kind: 'believe' }
  /** Read again, consistently. */
  | { readonly kind: 'again'; readonly doubts: Doubts }
  /** Keep what is known, say that the history was lost, go on watching. */
  | { readonly kind: 'doubt'; readonly doubts: Doubts };

export interface Circumstances {
  readonly consistent: boolean;
  readonly now: number;
  /** How long a lost history is doubted, in ms. */
  readonly patience: number;
}

/** A server that has not heard of its leader for this long, in ms, is not believed alone. */
const longestSilence = 5_000;

const believe: Verdict = { kind: 'believe' };

type Said = Omit<Answer<unknown>, 'value'>;

export function judge(known: Known | undefined, answer: Said, doubts: Doubts, at: Circumstances): Verdict {
  if (known !== undefined && known.listed.size > 0 && answer.listed.size === 0) {
    return judgeEmpty(known, answer, doubts, at);
  }
  return at.consistent || isTrustworthy(known, answer) ? believe : { kind: 'again', doubts };
}

function judgeEmpty(known: Known, answer: Said, doubts: Doubts, at: Circumstances): Verdict {
  const seen = { ...doubts, emptyBefore: true };
  if (!at.consistent || !doubts.emptyBefore) return { kind: 'again', doubts: seen };
  if (doubts.lostSince === undefined && answer.index > known.index) return believe;
  const lostSince = doubts.lostSince ?? at.now;
  return at.now - lostSince >= at.patience ? believe : { kind: 'doubt', doubts: { ...seen, lostSince } };
}

function isTrustworthy(known: Known | undefined, answer: Said): boolean {
  if (!answer.leaderKnown || answer.lastContact > longestSilence) return false;
  if (known === undefined || answer.index > known.index) return true;
  return answer.index === known.index && answer.digest === known.digest;
}

/** What was listed and is not any more. */
export const missingFrom = (known: Known | undefined, answer: Said): readonly string[] =>
  [...(known?.listed ?? [])].filter((name) => !answer.listed.has(name));
