/**
 * Decides what happens to a question: an answer at once, or a question to somebody.
 */
import { RCODE, TYPE } from '../../dns/codes.ts';
import { isWithin, type Name, nameKey } from '../../dns/name.ts';
import type { AskedQuestion } from '../../dns/question.ts';
import { NODATA, type Reply } from '../../dns/reply.ts';
import { formatNames, type NameRule } from '../../policy/name-rule.ts';
import type { NeverGranted } from './addresses.ts';
import type { FreshNames } from './fresh-names.ts';
import { isSearchName, matchRules, type NameIndex } from './matching.ts';

/** Who is asked: Docker's resolver in the namespace, Consul's DNS port, or the resolvers of the host. */
export type Resolver = 'docker' | 'consul' | 'upstream';

/** What a namespace may ask and reach by name. */
export interface NamePolicy {
  readonly index: NameIndex;
  readonly never: NeverGranted;
  /** Seconds beyond the lifetime of a record. */
  readonly grace: number;
  /** For names that no rule allows. */
  readonly answer: 'refused' | 'nxdomain';
  readonly mode: 'enforce' | 'audit';
  /**
   * The resolver of a name that needs no rule: containers of the namespace's networks, services that its rules name.
   * Its addresses are not granted by name; other rules say whether they can be reached.
   */
  readonly localResolver: (name: Name) => 'docker' | 'consul' | undefined;
  /** Consul's domain, mostly `consul`. */
  readonly consulDomain: Name;
}

/** Why a question is not passed on. */
export type Cause = 'type' | 'name' | 'search' | 'hints' | 'fresh';

export type Decision =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly cause: Cause }
  | {
      readonly kind: 'resolve';
      readonly at: Resolver;
      /** Those about the name. */
      readonly rules: readonly NameRule[];
      /** Whether addresses that no rule grants are taken out of the answer. */
      readonly isFiltered: boolean;
      /** In audit: why `enforce` would not pass the question on. */
      readonly wouldBe?: Cause | undefined;
    };

export const decide = (
  policy: NamePolicy,
  fresh: FreshNames,
  asked: AskedQuestion,
  now: number,
): Decision => {
  const decision = enforced(policy, fresh, asked, now);
  if (policy.mode === 'enforce') return decision;
  return decision.kind === 'reply'
    ? { kind: 'resolve', at: 'upstream', rules: [], isFiltered: false, wouldBe: decision.cause }
    : { ...decision, isFiltered: false };
};

const enforced = (policy: NamePolicy, fresh: FreshNames, asked: AskedQuestion, now: number): Decision => {
  const { name, type } = asked;
  if (isDeniedType(type)) return replyWith(REFUSED, 'type');
  const local = policy.localResolver(name);
  const rules = matchRules(policy.index, name);
  if (local === undefined && rules.length === 0) return deniedName(policy, name);
  if (HINTS.has(type)) return replyWith(NODATA, 'hints');
  if (local !== undefined) return { kind: 'resolve', at: local, rules, isFiltered: false };
  if (!isAdmitted(fresh, rules, name, now)) return replyWith(SERVFAIL, 'fresh');
  const at = isWithin(name, policy.consulDomain) ? 'consul' : 'upstream';
  return { kind: 'resolve', at, rules, isFiltered: true };
};

const replyWith = (reply: Reply, cause: Cause): Decision => ({ kind: 'reply', reply, cause });

const REFUSED: Reply = { rcode: RCODE.REFUSED, records: [] };
const NXDOMAIN: Reply = { rcode: RCODE.NXDOMAIN, records: [] };
export const SERVFAIL: Reply = { rcode: RCODE.SERVFAIL, records: [] };

/** Their answers name addresses beside the records of addresses, which no rule sees. */
const HINTS: ReadonlySet<number> = new Set([TYPE.HTTPS, TYPE.SVCB]);

/**
 * The types that programs ask for, besides those of HINTS. A type is 16 bits that go on to the servers of the name: a workload
 * could choose any number to send data by it. None is a question alone (ANY, transfers of zones), and NULL carries any data.
 */
const ASKED_TYPES: ReadonlySet<number> = new Set([
  ...[TYPE.A, TYPE.NS, TYPE.CNAME, TYPE.SOA, TYPE.PTR, TYPE.MX, TYPE.TXT, TYPE.AAAA, TYPE.SRV, TYPE.NAPTR],
  TYPE.DNAME,
  // HINFO, LOC, CERT, DS, SSHFP, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, TLSA, SMIMEA, OPENPGPKEY, SPF, URI, CAA
  ...[13, 29, 37, 43, 44, 46, 47, 48, 50, 51, 52, 53, 61, 99, 256, 257],
]);

const isDeniedType = (type: number): boolean => !ASKED_TYPES.has(type) && !HINTS.has(type);

const deniedName = (policy: NamePolicy, name: Name): Decision => {
  const isAllowed = (one: Name): boolean =>
    policy.localResolver(one) !== undefined || matchRules(policy.index, one).length > 0;
  if (isSearchName(name, isAllowed)) return replyWith(NXDOMAIN, 'search');
  return replyWith(policy.answer === 'refused' ? REFUSED : NXDOMAIN, 'name');
};

/** A name of its own rule is no new one; else the most specific wildcard counts it. */
const isAdmitted = (fresh: FreshNames, rules: readonly NameRule[], name: Name, now: number): boolean => {
  const [first] = rules;
  return first === undefined || first.depth === 'self' || fresh.admit(formatNames(first), nameKey(name), now);
};
