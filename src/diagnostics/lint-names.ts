/**
 * Finds rules by name that allow more than their author may think, or nothing.
 */
import { isWithin, type Name } from '../dns/name.ts';
import { formatPrefix } from '../net/address.ts';
import { covers } from '../net/ranges.ts';
import { DOH_HOSTS } from '../policy/doh-hosts.ts';
import { formatNames, isAbout, type NameRule } from '../policy/name-rule.ts';
import { type Registry, registryOf } from '../policy/public-suffix.ts';
import type { RuleLine } from '../policy/rule.ts';
import type { LintResult } from './finding.ts';

export const lintName = ({ rule }: RuleLine): readonly LintResult[] =>
  rule.kind === 'name' ? [...lintRegistry(rule), ...lintPlace(rule), ...lintResolvers(rule)] : [];

const warning = (reason: string, remedy: string): LintResult => ({
  ...{ severity: 'warning', code: 'name', reason, remedy },
});

const lintRegistry = (rule: NameRule): readonly LintResult[] => {
  const registry = registryOf(rule.name);
  const isWild = rule.depth !== 'self';
  if (registry.kind === 'unknown') return rule.prefixes.length > 0 ? [] : [unknown(rule)];
  if (isWild && registry.isSuffix) return [openToAll(registry)];
  return registry.kind === 'hosting' ? [shared(rule, registry)] : [];
};

const unknown = (rule: NameRule): LintResult =>
  warning(
    `${formatNames(rule)} is below no public domain, so it may have no public address, and others are not allowed without "@"`,
    `name the prefix of its addresses, as in ${formatNames(rule)}@10.0.0.0/8:${rule.protocol}/…; if it is a service of Consul, write it without ports`,
  );

const openToAll = ({ suffix, kind }: Registry): LintResult =>
  warning(
    `anyone can have a name below ${suffix}${kind === 'hosting' ? ', as a customer of its provider' : ''}, so it allows names of strangers`,
    'name the hosts that are needed',
  );

const shared = (rule: NameRule, { suffix }: Registry): LintResult =>
  warning(
    `names below ${suffix} share addresses with those of other customers, so what ${formatNames(rule)} resolves to may serve them too`,
    'allow it only where that is acceptable; rules by name cannot tell names of one address apart',
  );

/** Of larger prefixes somebody hardly knows what is in them: a /8 is the largest private network. */
const SHORTEST = { 4: 8, 6: 16 } as const;

const lintPlace = (rule: NameRule): readonly LintResult[] => {
  const broad = rule.prefixes.find(({ family, length }) => length < SHORTEST[family]);
  if (broad === undefined) return [];
  return [
    warning(
      `whoever answers for ${formatNames(rule)} may lead it to any address in ${formatPrefix(broad)}, also in your own networks`,
      'name the networks of its addresses after "@"',
    ),
  ];
};

/** The ports of DNS over HTTPS, over TLS and over QUIC. */
const RESOLVER_PORTS = [443, 853];

const lintResolvers = (rule: NameRule): readonly LintResult[] => {
  if (!RESOLVER_PORTS.some((port) => covers(rule.ranges, { first: port, last: port }))) return [];
  const host = DOH_HOSTS.find((one) => reaches(rule, one));
  if (host === undefined) return [];
  return [
    warning(
      `${host.join('.')} answers DNS over HTTPS, so a workload can resolve any name there, and send data out in names`,
      'delete the line: names are resolved without it',
    ),
  ];
};

/** Whether the rule is about the host or a name below it. */
const reaches = (rule: NameRule, host: Name): boolean => isWithin(rule.name, host) || isAbout(rule, host);
