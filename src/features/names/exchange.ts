/**
 * One question of a workload, from its bytes to the bytes of its answer. Who calls it does what needs sockets and the
 * kernel: asks a resolver, sends grants, sends answers. No answer with an address leaves here before its grants are
 * confirmed.
 */
import type { Answer } from '../../dns/answer.ts';
import { nameKey } from '../../dns/name.ts';
import { parseQuestion, type Question } from '../../dns/question.ts';
import { buildRejection, buildReply, type Reply, type Transport } from '../../dns/reply.ts';
import { admit } from './admission.ts';
import { type Cause, type Decision, decide, type NamePolicy, SERVFAIL } from './decision.ts';
import type { FreshNames } from './fresh-names.ts';
import type { GrantElement, GrantLimits, SentGrant } from './grant.ts';
import type { GrantTable } from './grant-table.ts';

/** What the proxy knows of one namespace. */
export interface NameState {
  /** `changePolicy` changes it. */
  policy: NamePolicy;
  readonly fresh: FreshNames;
  readonly grants: GrantTable;
}

export type Resolve = Extract<Decision, { kind: 'resolve' }>;

/** What becomes of a message. */
export type Received =
  /** It deserves no answer. */
  | { readonly kind: 'nothing'; readonly reason: string }
  /** To be sent. */
  | {
      readonly kind: 'reply';
      readonly bytes: Uint8Array;
      readonly question?: Question;
      readonly cause?: Cause;
    }
  /** A resolver is to be asked for the name and the type of the question; then `settle`. */
  | {
      readonly kind: 'resolve';
      readonly question: Question;
      readonly decision: Resolve;
      /** That has decided. */
      readonly policy: NamePolicy;
    };

export const receive = (
  state: NameState,
  message: Uint8Array,
  transport: Transport,
  now: number,
): Received => {
  const parsed = parseQuestion(message);
  if ('rejected' in parsed) {
    const bytes = buildRejection(parsed.rejected);
    return bytes === undefined
      ? { kind: 'nothing', reason: parsed.rejected.reason }
      : { kind: 'reply', bytes };
  }
  const { question } = parsed;
  const decision = decide(state.policy, state.fresh, question, now);
  if (decision.kind === 'resolve') return { kind: 'resolve', question, decision, policy: state.policy };
  const { reply, cause } = decision;
  return { kind: 'reply', bytes: buildReply(question, reply, transport), question, cause };
};

export interface Released {
  /** To be sent to the workload. */
  readonly bytes: Uint8Array;
  /** To be removed from the kernel first: their names went while they were on their way. */
  readonly orphans: readonly GrantElement[];
}

/** What an answer needs before it leaves. */
export interface Settled {
  /** To be sent to the kernel; with none of them, `release` at once. */
  readonly send: readonly SentGrant[];
  /** The kernel has them. */
  readonly release: (now: number) => Released;
  /** The kernel may not have them: the same, with an answer that says that the question failed. */
  readonly abandon: (now: number) => Released;
  /** Addresses that no rule grants, with the reasons. */
  readonly notGranted: readonly string[];
  /** Why the question failed. */
  readonly fault: string | undefined;
  /** The limit of grants that made it fail. */
  readonly exceeded?: keyof GrantLimits;
}

export const NO_ANSWER = 'no resolver answered';

/** `answer`: undefined if no resolver has answered in time. */
export const settle = (
  state: NameState,
  received: Extract<Received, { kind: 'resolve' }>,
  answer: Answer | undefined,
  transport: Transport,
  now: number,
): Settled => {
  const { question } = received;
  const { policy } = state;
  const build = (reply: Reply): Uint8Array => buildReply(question, reply, transport);
  const decision = decisionNow(state, received, now);
  if (decision === undefined) return unchanged(build(SERVFAIL), 'the policy has changed meanwhile');
  if (answer === undefined) return unchanged(build(SERVFAIL), NO_ANSWER);
  const { reply, grants, notGranted, fault } = admit(policy, question, decision, answer);
  if (fault !== undefined) return unchanged(build(SERVFAIL), fault);
  const reservation = state.grants.reserve(nameKey(question.name), grants, now);
  const failure = (): Uint8Array => build(decision.isFiltered ? SERVFAIL : reply);
  if ('exceeded' in reservation) {
    const { exceeded } = reservation;
    return { ...unchanged(failure(), EXCEEDED[exceeded]), exceeded };
  }
  return {
    ...{ send: reservation.send, notGranted, fault: undefined },
    release: (at) => {
      const { isGranted, orphans } = reservation.confirm(at);
      const isCurrent = state.policy === policy;
      return { bytes: isGranted && isCurrent ? build(reply) : failure(), orphans };
    },
    abandon: (at) => ({ bytes: failure(), orphans: reservation.cancel(at) }),
  };
};

/** The rules of now: a rule that went while a resolver was asked grants nothing. */
const decisionNow = (
  { policy, fresh }: NameState,
  received: Extract<Received, { kind: 'resolve' }>,
  now: number,
): Resolve | undefined => {
  if (policy === received.policy) return received.decision;
  const decision = decide(policy, fresh, received.question, now);
  return decision.kind === 'resolve' && decision.at === received.decision.at ? decision : undefined;
};

const unchanged = (bytes: Uint8Array, fault: string): Settled => ({
  ...{ send: [], notGranted: [], fault },
  release: () => ({ bytes, orphans: [] }),
  abandon: () => ({ bytes, orphans: [] }),
});

const EXCEEDED: Readonly<Record<keyof GrantLimits, string>> = {
  perName: 'the name has as many addresses as --names-limit allows',
  perNamespace: 'the names of the namespace have as many addresses as --names-limit allows',
};
