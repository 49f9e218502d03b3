/**
 * Compiles grants into the rules that a namespace should hold.
 */

import { granting } from '../../inventory/ages.ts';
import type { ConsulSnapshot } from '../../inventory/inventory.ts';
import { serviceName } from '../../inventory/service.ts';
import type { Acl } from '../../policy/acl.ts';
import { type CompiledPolicy, grantedKeys } from '../../policy/compile.ts';
import { NO_NAMES, SUSPENDED_NAMES } from '../../policy/compile-names.ts';
import type { PolicyCompiler } from '../../policy/policy-compiler.ts';
import type { RuleSet } from '../../policy/rule-set.ts';
import type { WorkloadNamespace } from './workload-namespaces.ts';

/** What egress desires of one namespace. */
export interface EgressDesired {
  readonly namespace: WorkloadNamespace;
  readonly rules: DesiredRules;
}

export interface DesiredRules {
  readonly policy: CompiledPolicy;
  /** Destinations of keys that are not granted, for templates that use them. */
  readonly ungranted: RuleSet | undefined;
  /** False while no rules are known; the previous rules then stay. */
  readonly isKnown: boolean;
  /** True while a service may answer in a moment. Without it the rules are correct, but allow less. */
  readonly awaits: boolean;
  /** Services that have not been read and grant nothing. */
  readonly unread: readonly string[];
  /** The same for keys that are not granted: a denylist cannot close them. */
  readonly unclosed: readonly string[];
}

export interface Known extends Omit<ConsulSnapshot, 'rules'> {
  /** Undefined while no rules are known. */
  readonly acl: Acl | undefined;
  /** The template denies only destinations of keys that are not granted. */
  readonly isDenylist: boolean;
}

/** True if both have the same text. Policies are compared by identity, because equal ones are shared. */
export const isSameRules = (one: DesiredRules, other: DesiredRules): boolean =>
  one.policy === other.policy &&
  one.ungranted === other.ungranted &&
  one.isKnown === other.isKnown &&
  one.awaits === other.awaits;

export function desiredFor(
  { acl, services, ages, awaited, isDenylist }: Known,
  compiler: PolicyCompiler,
): (grants: readonly string[]) => DesiredRules {
  const isIsolated = ages.rules === 'outdated';
  // A denylist opens all that it does not name: without keys it would close nothing.
  if (acl === undefined) return () => (isIsolated && !isDenylist ? ISOLATED : unknown(awaited.rules));
  if (ages.rules === 'awaited') return () => unknown(true);
  const fresh = granting(services, ages);
  return (asked) => {
    if (isIsolated && !isDenylist && haveNames(asked, acl)) return ISOLATED_NAMES;
    const grants = isIsolated ? [] : asked;
    const policy = compiler.compile(grants, acl, fresh);
    // Outdated keys grant nothing, but stay closed.
    const others = isDenylist ? compiler.compileClosed(ungranted(grants, acl), acl, services) : undefined;
    const pending = [...policy.pending, ...(others?.pending ?? [])].map(serviceName);
    const isLost = (name: string) => !awaited.services.has(name);
    const unread = policy.pending.map(serviceName).filter(isLost);
    const unclosed = (others?.pending ?? []).map(serviceName).filter(isLost);
    const awaits = pending.some((name) => awaited.services.has(name));
    return { policy, ungranted: others?.ruleSet, isKnown: true, awaits, unread, unclosed };
  };
}

const haveNames = (grants: readonly string[], acl: Acl): boolean =>
  grantedKeys(grants, acl).some(({ rules }) => rules.some(({ rule }) => rule.kind === 'name'));

const ungranted = (grants: readonly string[], acl: Acl): readonly string[] =>
  [...acl.keys()].filter((key) => !grants.includes(key));

const NOTHING: DesiredRules = {
  policy: { reasons: [], ruleSet: { layers: [] }, names: NO_NAMES, problems: [], pending: [] },
  ...{ ungranted: undefined, isKnown: true, awaits: false, unread: [], unclosed: [] },
};
const ISOLATED = NOTHING;
/** Of keys with rules by name: to give their holders other resolvers would open what they close. */
const ISOLATED_NAMES: DesiredRules = { ...NOTHING, policy: { ...NOTHING.policy, names: SUSPENDED_NAMES } };
/** No rules are known yet. */
const unknown = (awaits: boolean): DesiredRules => ({ ...NOTHING, isKnown: false, awaits });

/** For a namespace whose rules are removed. */
export const NO_RULES = NOTHING;
