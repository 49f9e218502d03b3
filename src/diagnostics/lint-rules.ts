/**
 * Finds valid lines that are unnecessary beside others of their key, or broader than their author can have intended.
 */

import type { Direction } from '../common/direction.ts';
import { contains, formatPrefix, type Prefix } from '../net/address.ts';
import type { AclKey } from '../policy/acl.ts';
import { MINIMUM_LENGTH } from '../policy/protected-hosts.ts';
import {
  type AddressRule,
  formatRule,
  type NameRule,
  type RuleLine,
  type ServiceRule,
} from '../policy/rule.ts';
import { isAllPorts, isBroad } from './broad.ts';
import type { Finding, LintResult } from './finding.ts';
import { lintName } from './lint-names.ts';
import { Overlaps } from './overlap.ts';

export function lintRules(
  { key, rules }: AclKey,
  protectedHosts: readonly Prefix[],
  direction: Direction = 'egress',
): readonly Finding[] {
  const linesAround = needlessness(rules, protectedHosts);
  const lintProtection = protectionLinter(rules, protectedHosts);
  const byLine = new Map(rules.map((line) => [line.line, line]));
  return rules.flatMap((line) => {
    const around = linesAround(line).flatMap((number) => byLine.get(number) ?? []);
    const results = [
      ...lintBreadth(line, direction),
      ...lintProtection(line),
      ...lintNeed(line, around),
      ...lintName(line),
    ];
    return results.map((one) => ({ ...one, key, line: line.line, text: line.text }));
  });
}

/** Returns a function that finds the lines that already allow everything that a line allows. */
function needlessness(
  rules: readonly RuleLine[],
  protectedHosts: readonly Prefix[],
): (line: RuleLine) => readonly number[] {
  const byAddress = rules.flatMap(({ line, rule }) => (rule.kind === 'address' ? [{ line, rule }] : []));
  const overlaps = new Overlaps(byAddress, protectedHosts);
  const others = new Map<string, number>();
  for (const { line, rule } of rules.toReversed())
    if (rule.kind !== 'address') others.set(formatRule(rule), line);
  return ({ line, rule }) =>
    rule.kind === 'address' ? overlaps.linesAround({ line, rule }) : lineAround(line, rule, others);
}

/** The line with the same service without the tag, or the first equal line. */
const lineAround = (
  line: number,
  rule: ServiceRule | NameRule,
  lines: ReadonlyMap<string, number>,
): readonly number[] => {
  const hasTag = rule.kind === 'service' && rule.tag !== undefined;
  const wider = hasTag ? lines.get(formatRule({ ...rule, tag: undefined })) : undefined;
  const found = wider ?? lines.get(formatRule(rule));
  return found === undefined || found === line ? [] : [found];
};

function lintNeed({ rule }: RuleLine, around: readonly RuleLine[]): readonly LintResult[] {
  const [first] = around;
  if (first === undefined) return [];
  const same = formatRule(first.rule) === formatRule(rule);
  const lines = around.map(({ line, text }) => `line ${line} (${text})`).join(' and ');
  return [
    {
      severity: 'info',
      code: same ? 'duplicate' : 'shadowed',
      reason: same ? `${lines} is equal` : `${lines} ${around.length > 1 ? 'allow' : 'allows'} all of it`,
      remedy: same ? 'delete the line' : 'delete the line, or narrow the other',
    },
  ];
}

/**
 * Finds prefixes that seem to allow a protected host and do not, unless another line names the host. Broad prefixes
 * are left out, because they have a finding of their own.
 */
function protectionLinter(
  rules: readonly RuleLine[],
  protectedHosts: readonly Prefix[],
): (line: RuleLine) => readonly LintResult[] {
  const isLong = ({ family, length }: Prefix) => length >= MINIMUM_LENGTH[family];
  const prefixes = rules.flatMap(({ rule }) => (rule.kind === 'address' ? [rule.prefix] : []));
  const named = (host: Prefix) => prefixes.some((one) => isLong(one) && contains(one, host));
  const closed = protectedHosts.filter((host) => !named(host));
  return ({ rule }) => {
    if (rule.kind !== 'address' || isLong(rule.prefix) || isBroad({ entry: rule })) return [];
    const host = closed.find((one) => contains(rule.prefix, one));
    return host === undefined ? [] : [protectedHost(rule, host)];
  };
}

const protectedHost = (rule: AddressRule, host: Prefix): LintResult => ({
  severity: 'warning',
  code: 'protected',
  reason: `it does not allow the protected address ${formatPrefix(host)}, which only a prefix of /${MINIMUM_LENGTH[host.family]} or longer does`,
  remedy: `if you mean it, add ${formatRule({ ...rule, prefix: host })}; otherwise name the networks around it`,
});

function lintBreadth({ rule }: RuleLine, direction: Direction): readonly LintResult[] {
  if (rule.kind !== 'address') return [];
  const { prefix, protocol } = rule;
  if (!isBroad({ entry: rule })) return [];
  const what = prefix.length === 0 ? 'any address' : `all of ${formatPrefix(prefix)}`;
  const ports = protocol !== 'icmp' && isAllPorts(rule) ? ' on all ports' : '';
  return [
    {
      severity: 'warning',
      code: 'broad',
      reason: `it allows ${protocol} ${direction === 'egress' ? 'to' : 'from'} ${what}${ports}`,
      remedy: 'name the services or the networks that are needed',
    },
  ];
}
