/**
 * What grants ask for, as things are known now: the rules that a namespace should hold.
 */

import { granting } from '../../inventory/ages.ts';
import type { ConsulSnapshot } from '../../inventory/inventory.ts';
import { serviceName } from '../../inventory/service.ts';
import type { Acl } from '../../policy/acl.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
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
  /** Destinations of keys that were not granted, for templates that speak of them. */
  readonly ungranted: RuleSet | undefined;
  /** False while nothing is known of the rules: rules of before then stay. */
  readonly isKnown: boolean;
  /** True while a part of it may be told in a moment; what is known is right without it, and less. */
  readonly awaits: boolean;
  /** Services that could not be read so far, and grant nothing. */
  readonly unread: readonly string[];
  /** The same of keys that were not granted: a denylist cannot close them. */
  readonly unclosed: readonly string[];
}

export interface Known extends Omit<ConsulSnapshot, 'rules'> {
  /** Undefined while nothing is known of the rules. */
  readonly acl: Acl | undefined;
  /** The template refuses only what keys that were not granted allow. */
  readonly isDenylist: boolean;
}

/** True if both ask for the same texts. Policies are compared by identity: an equal one is shared. */
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
  // A denylist opens what it does not name: without the keys there is nothing that it could close.
  if (acl === undefined) return () => (isIsolated && !isDenylist ? ISOLATED : unknown(awaited.rules));
  if (ages.rules === 'awaited') return () => unknown(true);
  const fresh = granting(services, ages);
  return (asked) => {
    const grants = isIsolated ? [] : asked;
    const policy = compiler.compile(grants, acl, fresh);
    // What is outdated grants nothing, and goes on to be closed.
    const others = isDenylist ? compiler.compileClosed(ungranted(grants, acl), acl, services) : undefined;
    const pending = [...policy.pending, ...(others?.pending ?? [])].map(serviceName);
    const isLost = (name: string) => !awaited.services.has(name);
    const unread = policy.pending.map(serviceName).filter(isLost);
    const unclosed = (others?.pending ?? []).map(serviceName).filter(isLost);
    const awaits = pending.some((name) => awaited.services.has(name));
    return { policy, ungranted: others?.ruleSet, isKnown: true, awaits, unread, unclosed };
  };
}

const ungranted = (grants: readonly string[], acl: Acl): readonly string[] =>
  [...acl.keys()].filter((key) => !grants.includes(key));

const NOTHING: DesiredRules = {
  policy: { reasons: [], ruleSet: { layers: [] }, problems: [], pending: [] },
  ...{ ungranted: undefined, isKnown: true, awaits: false, unread: [], unclosed: [] },
};
const ISOLATED = NOTHING;
/** Nothing is known of the rules yet. */
const unknown = (awaits: boolean): DesiredRules => ({ ...NOTHING, isKnown: false, awaits });

/** For a namespace whose rules are taken away. */
export const NO_RULES = NOTHING;
