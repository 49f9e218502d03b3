/**
 * What a workload gets of an answer, and what must be granted before it gets it.
 */
import type { Answer } from '../../dns/answer.ts';
import { RCODE, TYPE } from '../../dns/codes.ts';
import { isWithin } from '../../dns/name.ts';
import type { AskedQuestion } from '../../dns/question.ts';
import type { DnsRecord } from '../../dns/record.ts';
import type { Reply } from '../../dns/reply.ts';
import { formatPrefix, type Prefix } from '../../net/address.ts';
import { hostOf } from '../../net/special-addresses.ts';
import type { NameRule } from '../../policy/name-rule.ts';
import { classOf } from '../../policy/port-classes.ts';
import { whyNotGranted } from './addresses.ts';
import { followChain } from './chain.ts';
import { type NamePolicy, type Resolver, SERVFAIL } from './decision.ts';
import type { WantedGrant } from './grant.ts';
import { lifetimeOf } from './lifetime.ts';

export interface Admission {
  readonly reply: Reply;
  /** In the kernel before the reply leaves. */
  readonly grants: readonly WantedGrant[];
  /** Addresses that no rule grants, each with the reason. They are taken out of a filtered answer. */
  readonly notGranted: readonly string[];
  /** Why the answer counts as a failure. */
  readonly fault?: string | undefined;
}

export interface AdmissionRules {
  readonly rules: readonly NameRule[];
  /** Whether addresses that no rule grants are taken out, and all that is not on the chain. */
  readonly isFiltered: boolean;
  /** Who has answered. */
  readonly at: Resolver;
}

export const admit = (
  policy: NamePolicy,
  asked: AskedQuestion,
  { rules, isFiltered, at }: AdmissionRules,
  { rcode, records, soa }: Answer,
): Admission => {
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)
    return failed(`the resolver answered with response code ${rcode}`);
  const chain = followChain(asked, records);
  if ('reason' in chain && isFiltered) return failed(chain.reason);
  const { end, records: onChain } = 'reason' in chain ? { end: asked.name, records: [] } : chain;
  const looked = onChain.map((record) => lookAt(record, at, rules, policy));
  const kept = isFiltered
    ? looked.filter(({ reasons }) => reasons.length === 0).map(({ record }) => record)
    : records;
  const hasEnd = kept.some((record) => record.type === asked.type);
  return {
    reply: { rcode, records: kept, soa: !hasEnd && soa && isWithin(end, soa.name) ? soa : undefined },
    grants: looked.flatMap(({ grants }) => grants),
    notGranted: rules.length === 0 ? [] : looked.flatMap(({ reasons }) => reasons),
  };
};

const failed = (fault: string): Admission => ({ reply: SERVFAIL, grants: [], notGranted: [], fault });

interface Looked {
  readonly record: DnsRecord;
  readonly grants: readonly WantedGrant[];
  /** Why no rule grants the address. */
  readonly reasons: readonly string[];
}

/**
 * Docker's resolver answers inside the namespace, where a workload with raw sockets sees the question and can answer first.
 * So nothing is granted by its word.
 */
const FORGEABLE = 'rules by name grant no address of a container; name it in a rule by address or service';

/** The record as the workload gets it: it must not keep an address for longer than that is granted. */
const lookAt = (record: DnsRecord, at: Resolver, rules: readonly NameRule[], policy: NamePolicy): Looked => {
  const address = addressOf(record);
  const { ttl, ...times } = lifetimeOf(record.ttl, policy.grace);
  const limited = { ...record, ttl };
  if (address === undefined) return { record: limited, grants: [], reasons: [] };
  const reasons = rules.map((rule) =>
    at === 'docker' ? FORGEABLE : whyNotGranted(address, rule, policy.never),
  );
  const granting = rules.filter((_, index) => reasons[index] === undefined);
  const [reason = 'no rule is about it'] = granting.length > 0 ? [''] : reasons;
  return {
    record: limited,
    grants: granting.map((rule) => ({ portClass: classOf(rule), address, ...times })),
    reasons: granting.length > 0 ? [] : [`${formatPrefix(address)}: ${reason}`],
  };
};

/** Of an A or AAAA record. */
export const addressOf = ({ type, data }: DnsRecord): Prefix | undefined => {
  if (type !== TYPE.A && type !== TYPE.AAAA) return undefined;
  const at = new DataView(data.buffer, data.byteOffset);
  if (type === TYPE.A) return hostOf(4, BigInt(at.getUint32(0)));
  return hostOf(6, (at.getBigUint64(0) << 64n) | at.getBigUint64(8));
};
