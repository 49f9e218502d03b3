/**
 * Compiles ingress keys into the callers that a namespace should let in.
 */
import { granting } from '../../inventory/ages.ts';
import type { ConsulSnapshot } from '../../inventory/inventory.ts';
import { serviceName } from '../../inventory/service.ts';
import type { Acl } from '../../policy/acl.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { NO_NAMES } from '../../policy/compile-names.ts';
import type { PolicyCompiler } from '../../policy/policy-compiler.ts';
import type { IngressNamespace } from './namespaces.ts';

/** What ingress desires of one namespace. */
export interface IngressDesired {
  readonly namespace: IngressNamespace;
  readonly rules: DesiredRules;
}

export interface DesiredRules {
  readonly policy: CompiledPolicy;
  /** False while no keys are known; the previous rules then stay, and without any nobody is let in. */
  readonly isKnown: boolean;
  /** True while the keys or a service may answer in a moment. */
  readonly awaits: boolean;
  /** Services that have not been read: none of their instances is let in. */
  readonly unread: readonly string[];
}

export interface Known extends Pick<ConsulSnapshot, 'services' | 'ages' | 'awaited'> {
  /** Undefined while no keys are known. */
  readonly acl: Acl | undefined;
}

/** True if both have the same text. Policies are compared by identity, because equal ones are shared. */
export const isSameRules = (one: DesiredRules, other: DesiredRules): boolean =>
  one.policy === other.policy && one.isKnown === other.isKnown && one.awaits === other.awaits;

export function desiredFor(
  { acl, services, ages, awaited }: Known,
  compiler: PolicyCompiler,
): (keys: readonly string[]) => DesiredRules {
  const isOutdated = ages.ingress === 'outdated';
  if (acl === undefined) return () => (isOutdated ? NOBODY : unknown(awaited.ingress === true));
  if (ages.ingress === 'awaited') return () => unknown(true);
  const fresh = granting(services, ages);
  return (keys) => {
    const policy = compiler.compile(isOutdated ? [] : keys, acl, fresh);
    const pending = policy.pending.map(serviceName);
    const isAwaited = (name: string) => awaited.services.has(name);
    const unread = pending.filter((name) => !isAwaited(name));
    return { policy, isKnown: true, awaits: pending.some(isAwaited), unread };
  };
}

export const NOBODY: DesiredRules = {
  policy: { reasons: [], ruleSet: { layers: [] }, names: NO_NAMES, problems: [], pending: [] },
  ...{ isKnown: true, awaits: false, unread: [] },
};

const unknown = (awaits: boolean): DesiredRules => ({ ...NOBODY, isKnown: false, awaits });
