/**
 * Finds rules that have no effect, are unnecessary or dangerously broad, and keys that no workload uses.
 */

import type { Direction } from '../common/direction.ts';
import type { Problem } from '../common/problem.ts';
import { serviceName } from '../inventory/service.ts';
import type { Prefix } from '../net/address.ts';
import { endsAsHostName } from '../net/host-name.ts';
import type { Acl, AclKey } from '../policy/acl.ts';
import { type Catalog, matchesFor } from '../policy/compile.ts';
import { formatRule, type RuleLine } from '../policy/rule.ts';
import type { WorkloadGrants } from './diff.ts';
import type { Finding } from './finding.ts';
import { lintRules } from './lint-rules.ts';

export interface LintContext {
  readonly acl: Acl;
  /** Containers whose network namespaces hold foreign rules that deny packets. */
  readonly withForeignRules?: readonly string[];
  /** Containers that name keys without EGRESSTRATOR_ENABLE=1. */
  readonly notEnabled?: readonly string[];
  readonly protectedHosts: readonly Prefix[];
  /** Undefined if services were not read. */
  readonly catalog: Catalog | undefined;
  /** The reasons why services could not be read, by name. */
  readonly failures?: ReadonlyMap<string, string> | undefined;
  /** Of the keys; default egress. */
  readonly direction?: Direction;
  /** The running workloads; undefined if not known. */
  readonly workloads: readonly WorkloadGrants[] | undefined;
}

/** In the order of keys and lines; findings about a whole key come first. */
export function lint({
  acl,
  withForeignRules = [],
  notEnabled = [],
  protectedHosts,
  catalog,
  failures = new Map(),
  workloads,
  direction = 'egress',
}: LintContext): readonly Finding[] {
  const findings = [...acl.values()].flatMap((key) => [
    ...lintGrants(key, workloads, direction),
    ...lintText(key),
    ...lintServices(key, catalog, protectedHosts),
    ...lintFailures(key, failures),
    ...lintRules(key, protectedHosts, direction),
  ]);
  return [
    ...[...findings, ...missingKeys(acl, workloads, direction)].sort(inOrder),
    ...notEnabledFindings(notEnabled),
    ...foreignRuleFindings(withForeignRules),
  ];
}

const notEnabledFindings = (containers: readonly string[]): readonly Finding[] =>
  containers.toSorted().map((container) => ({
    ...{ severity: 'warning', code: 'not-enabled', container },
    reason: 'it names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules and can reach everything',
    remedy: 'start it again with EGRESSTRATOR_ENABLE=1, or without EGRESSTRATOR_ACL',
  }));

const foreignRuleFindings = (containers: readonly string[]): readonly Finding[] =>
  containers.toSorted().map((container) => ({
    ...{ severity: 'warning', code: 'foreign-rules', container },
    reason: 'rules of other programs deny packets in its network namespace, whatever its keys allow',
    remedy:
      'if egresstrator 0.2 left them there, restart the container or remove them (docs/migrating.md); if it made them itself, leave them',
  }));

const inOrder = (a: Finding, b: Finding): number =>
  a.key === b.key ? (a.line ?? 0) - (b.line ?? 0) : (a.key ?? '') < (b.key ?? '') ? -1 : 1;

/** The variable by which a container names keys. */
const VARIABLE: Readonly<Record<Direction, string>> = {
  egress: 'EGRESSTRATOR_ACL',
  ingress: 'EGRESSTRATOR_INGRESS',
};

const lintGrants = (
  { key }: AclKey,
  workloads: LintContext['workloads'],
  direction: Direction,
): readonly Finding[] =>
  workloads === undefined || workloads.some(({ grants }) => grants.includes(key))
    ? []
    : [
        {
          severity: 'info',
          code: 'unused-key',
          key,
          reason: 'no running workload has this key',
          remedy: `delete it, or add it to ${VARIABLE[direction]} where it is needed`,
        },
      ];

const missingKeys = (
  acl: Acl,
  workloads: LintContext['workloads'],
  direction: Direction,
): readonly Finding[] => {
  const holders = new Map<string, string[]>();
  for (const { name, grants } of workloads ?? [])
    for (const grant of grants)
      if (!acl.has(grant)) holders.set(grant, [...(holders.get(grant) ?? []), name]);
  return [...holders].map(([key, names]) => ({
    severity: 'error',
    code: 'missing-key',
    key,
    reason: `${someOf(names)} ${names.length === 1 ? 'asks' : 'ask'} for this key, but Consul does not have it`,
    remedy: `add it to Consul, or remove it from ${VARIABLE[direction]}`,
  }));
};

/** At most three names. */
export const someOf = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;

function lintText({ key, rules, problems }: AclKey): readonly Finding[] {
  const good = new Map(rules.map(({ line, rule }) => [line, formatRule(rule)]));
  const findings = problems.map((problem) => fromProblem(key, problem, good.get(problem.line ?? 0)));
  if (rules.length > 0) return findings;
  const reason = 'the key has no rule, so it grants nothing';
  return [
    ...findings,
    { severity: 'warning', code: 'empty-key', key, reason, remedy: 'add rules to it, or delete it' },
  ];
}

/** `rule`: the parsed rule, if the line is valid anyway. */
const fromProblem = (key: string, { severity, line, text, reason }: Problem, rule?: string): Finding => ({
  severity,
  code: rule === undefined ? 'bad-line' : 'host-bits',
  key,
  ...(line === undefined ? {} : { line }),
  ...(text === undefined ? {} : { text }),
  reason,
  remedy: rule === undefined ? 'correct the line, or begin it with "#"' : `write ${rule}`,
});

const lintFailures = ({ key, rules }: AclKey, failures: ReadonlyMap<string, string>): readonly Finding[] =>
  rules.flatMap(({ line, text, rule }): readonly Finding[] => {
    const name = rule.kind === 'service' ? serviceName(rule) : '';
    const failure = failures.get(name);
    if (failure === undefined) return [];
    const reason = `the instances of ${name} could not be read: ${failure}`;
    const remedy = 'the line grants nothing until they can be; if the name is wrong, correct it';
    return [{ severity: 'error', code: 'service', key, line, text, reason, remedy }];
  });

function lintServices(
  key: AclKey,
  catalog: Catalog | undefined,
  protectedHosts: readonly Prefix[],
): readonly Finding[] {
  if (catalog === undefined) return key.rules.flatMap((line) => lintHostName(key.key, line));
  const services = { ...key, rules: key.rules.filter(({ rule }) => rule.kind === 'service') };
  const { problems } = matchesFor([services], catalog, protectedHosts);
  return problems.map((problem) => ({
    ...fromProblem(key.key, problem),
    code: 'service',
    remedy: 'register the service with that name, or correct the line',
  }));
}

/** Used without a catalog, when it is not known whether the service exists. */
function lintHostName(key: string, { line, text, rule }: RuleLine): readonly Finding[] {
  if (rule.kind !== 'service' || rule.tag === undefined) return [];
  const { tag, service } = rule;
  if (!endsAsHostName(`${tag}.${service}`)) return [];
  const reason = `it names the service ${service} with the tag "${tag}", and no host ${tag}.${service}`;
  const isCaller = rule.ranges !== undefined;
  const remedy = `if you mean a host, write its ${isCaller ? 'addresses' : `ports too, as in ${tag}.${service}:tcp/443`}`;
  return [{ severity: 'warning', code: 'host-name', key, line, text, reason, remedy }];
}
