/**
 * Compiles grants to allowed entries: the rules of the granted keys, with services replaced by the addresses and
 * ports of their instances.
 */

import type { Direction } from '../common/direction.ts';
import type { Problem } from '../common/problem.ts';
import { type Instance, OUTDATED, type ServiceRef, serviceName } from '../inventory/service.ts';
import { contains, type Prefix, parseAddress } from '../net/address.ts';
import { mayBeHostName } from '../net/host-name.ts';
import type { Acl, AclKey } from './acl.ts';
import { type CompiledNames, compileNames } from './compile-names.ts';
import type { RuleLine, ServiceRule } from './rule.ts';
import { type AllowEntry, canonical, excludeProtected, type RuleSet } from './rule-set.ts';

/** Service (as `serviceName` writes it) → its instances. A missing service was not read yet. */
export type Catalog = ReadonlyMap<string, readonly Instance[]>;

/** One reason why traffic is allowed: which key, which line, and which instance where a service is named. */
export interface RuleMatch {
  readonly key: string;
  readonly line: RuleLine;
  readonly instance: Instance | undefined;
  readonly entry: AllowEntry;
}

export interface CompiledPolicy {
  readonly reasons: readonly RuleMatch[];
  readonly ruleSet: RuleSet;
  /** Rules by name; whether they grant anything is for the namespace to say. */
  readonly names: CompiledNames;
  readonly problems: readonly Problem[];
  /** Services that rules refer to and that were not read yet; they allow nothing so far. */
  readonly pending: readonly ServiceRef[];
}

/** The services that the rules of some keys refer to, each once. */
export function servicesOf(keys: Iterable<AclKey>): readonly ServiceRef[] {
  const refs = new Map<string, ServiceRef>();
  for (const key of keys) {
    for (const { rule } of key.rules) {
      if (rule.kind === 'service') refs.set(serviceName(rule), refOf(rule));
    }
  }
  return [...refs.values()];
}

/** The keys among `grants` that exist. */
export const grantedKeys = (grants: readonly string[], acl: Acl): readonly AclKey[] =>
  grants.flatMap((grant) => acl.get(grant) ?? []);

/**
 * The entries that `grants` allow. `protectedHosts` are excluded from broad prefixes (see `protect`). Never throws:
 * lines that grant nothing are in `problems`.
 */
export function compile(
  grants: readonly string[],
  acl: Acl,
  catalog: Catalog,
  protectedHosts: readonly Prefix[],
  direction: Direction = 'egress',
): CompiledPolicy {
  const keys = grantedKeys(grants, acl);
  const { reasons, problems } = matchesFor(keys, catalog, protectedHosts);
  const names = compileNames(keys);
  const entries = reasons.map((reason) => reason.entry);
  return {
    reasons,
    ruleSet: canonical(excludeProtected(entries, protectedHosts)),
    names,
    problems: [
      ...unknownKeys(
        grants.filter((grant) => !acl.has(grant)),
        direction,
      ),
      ...keys.flatMap((key) => key.problems),
      ...problems,
      ...names.problems,
    ],
    pending: servicesOf(keys).filter((ref) => !catalog.has(serviceName(ref))),
  };
}

/**
 * The entries that each line of some keys allows, and the problems of lines that allow nothing. Makes no rule set.
 */
export function matchesFor(
  keys: readonly AclKey[],
  catalog: Catalog,
  protectedHosts: readonly Prefix[],
): { readonly reasons: readonly RuleMatch[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  return { reasons: keys.flatMap((key) => reasonsOf(key, { catalog, protectedHosts, problems })), problems };
}

const refOf = (rule: ServiceRule): ServiceRef => ({ service: rule.service, datacenter: rule.datacenter });

/** Unknown keys that are reported one by one; an image can name many. */
const MOST_UNKNOWN = 8;

function unknownKeys(keys: readonly string[], direction: Direction): readonly Problem[] {
  const kind = direction === 'egress' ? 'ACL key' : 'ingress key';
  const reason = `no such ${kind} in Consul, so it grants nothing`;
  const listed = keys.slice(0, MOST_UNKNOWN).map((key): Problem => ({ severity: 'error', key, reason }));
  const more = keys.length - listed.length;
  if (more === 0) return listed;
  return [
    ...listed,
    { severity: 'error', reason: `${more} more of its keys are not in Consul and grant nothing` },
  ];
}

interface Lookup {
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  /** Collects the problems of lines that allow nothing. */
  readonly problems: Problem[];
}

function reasonsOf(key: AclKey, lookup: Lookup): readonly RuleMatch[] {
  return key.rules.flatMap((line) => {
    const { rule } = line;
    if (rule.kind === 'name') return [];
    if (rule.kind === 'address') return [{ key: key.key, line, instance: undefined, entry: rule }];
    return serviceReasons(key.key, line, rule, lookup);
  });
}

function serviceReasons(
  key: string,
  line: RuleLine,
  rule: ServiceRule,
  lookup: Lookup,
): readonly RuleMatch[] {
  const instances = lookup.catalog.get(serviceName(rule));
  if (instances === undefined) return [];
  const { tag } = rule;
  const chosen = tag === undefined ? instances : instances.filter((one) => one.tags.includes(tag));
  const report = (severity: Problem['severity'], reason: string) =>
    lookup.problems.push({ severity, key, line: line.line, text: line.text, reason });
  if (instances === OUTDATED) report('error', outdated(rule));
  else if (chosen.length === 0) report('warning', nothingRegistered(rule, instances.length));
  return chosen.flatMap((instance) => {
    const entry = entryOf(instance, rule, lookup.protectedHosts);
    if (typeof entry === 'string') report('error', entry);
    return typeof entry === 'object' ? [{ key, line, instance, entry }] : [];
  });
}

const outdated = (rule: ServiceRule): string =>
  `${serviceName(rule)} is older than --max-age, so it grants nothing until Consul confirms it`;

const nothingRegistered = (rule: ServiceRule, others: number): string =>
  others === 0
    ? `no instance of ${serviceName(rule)} is registered, so it grants nothing${ifHostName(rule)}`
    : `no instance of ${serviceName(rule)} has the tag "${rule.tag}" (${others} without it), so it grants nothing`;

/** A host name such as `example.com` is read as a service with a tag. Only rules of egress are by name. */
const ifHostName = ({ tag, service, ranges }: ServiceRule): string => {
  const name = `${tag}.${service}`;
  if (tag === undefined || !mayBeHostName(name)) return '';
  const instead = ranges === undefined ? `its ports too, as in ${name}:tcp/443` : 'its addresses instead';
  return `; if ${name} is a host name, write ${instead}`;
};

/**
 * The prefix of an instance with its port, or with the ports that the rule names; or a problem. Undefined if the rule is
 * about another family. A service must not grant a protected address; only a rule that names the address does.
 */
function entryOf(
  { address, port, node }: Instance,
  { protocol, ranges, family }: ServiceRule,
  protectedHosts: readonly Prefix[],
): AllowEntry | string | undefined {
  const prefix = parseAddress(address);
  if (prefix === undefined) {
    return `the instance on node ${node} is registered with "${address}", which is not an IP address`;
  }
  if (protectedHosts.some((host) => contains(host, prefix))) {
    return `the instance on node ${node} is registered with the protected address ${address}, which only a rule by address grants`;
  }
  if (ranges !== undefined)
    return family === undefined || family === prefix.family ? { prefix, protocol, ranges } : undefined;
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return `the instance on node ${node} is registered with port ${port}, and a rule by service needs one`;
  }
  return { prefix, protocol, ranges: [{ first: port, last: port }] };
}
