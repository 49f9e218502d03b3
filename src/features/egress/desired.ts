/**
 * What grants ask for, as things are known now: the rules that a namespace should hold.
 */

import { type Ages, granting } from '../../daemon/age-limit.ts';
import type { Awaited } from '../../daemon/consul-cache.ts';
import { serviceName } from '../../inventory/service.ts';
import type { Acl } from '../../policy/acl.ts';
import type { Catalog, CompiledPolicy } from '../../policy/compile.ts';
import type { PolicyCompiler } from '../../policy/policy-compiler.ts';
import type { Desired } from '../../reconciler/reconcile-state.ts';

export interface Known {
  /** Undefined while nothing is known of the rules. */
  readonly acl: Acl | undefined;
  readonly catalog: Catalog;
  /** How old all that is. */
  readonly ages: Ages;
  readonly awaited: Awaited;
  /** The template refuses only what keys that were not granted allow. */
  readonly isDenylist: boolean;
}

export function desiredFor(
  { acl, catalog, ages, awaited, isDenylist }: Known,
  resolver: PolicyCompiler,
): (grants: readonly string[]) => Desired {
  const isIsolated = ages.rules === 'outdated';
  // A denylist opens what it does not name: without the keys there is nothing that it could close.
  if (acl === undefined) return () => (isIsolated && !isDenylist ? ISOLATED : unknown(awaited.rules));
  if (ages.rules === 'awaited') return () => unknown(true);
  const fresh = granting(catalog, ages);
  return (asked) => {
    const grants = isIsolated ? [] : asked;
    const resolution = resolver.compile(grants, acl, fresh);
    // What is outdated grants nothing, and goes on to be closed.
    const others = isDenylist ? resolver.compileClosed(ungranted(grants, acl), acl, catalog) : undefined;
    const pending = [...resolution.pending, ...(others?.pending ?? [])].map(serviceName);
    const isLost = (name: string) => !awaited.services.has(name);
    const unread = resolution.pending.map(serviceName).filter(isLost);
    const unclosed = (others?.pending ?? []).map(serviceName).filter(isLost);
    const awaits = pending.some((name) => awaited.services.has(name));
    return { kind: 'rules', resolution, ungranted: others?.ruleSet, isKnown: true, awaits, unread, unclosed };
  };
}

const ungranted = (grants: readonly string[], acl: Acl): readonly string[] =>
  [...acl.keys()].filter((key) => !grants.includes(key));

const NO_RESOLUTION: CompiledPolicy = { reasons: [], ruleSet: { layers: [] }, problems: [], pending: [] };
const NOTHING = {
  kind: 'rules',
  resolution: NO_RESOLUTION,
  ungranted: undefined,
  unread: [],
  unclosed: [],
} as const;
const ISOLATED: Desired = { ...NOTHING, isKnown: true, awaits: false };
/** Nothing is known of the rules yet. */
const unknown = (awaits: boolean): Desired => ({ ...NOTHING, isKnown: false, awaits });
