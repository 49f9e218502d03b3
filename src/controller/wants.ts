/**
 * What grants ask for, as things are known now: the rules that a namespace should hold.
 */
import type { Acl } from '../domain/acl.ts';
import type { Catalog, Resolution } from '../domain/resolve.ts';
import { type Ages, granting } from './age-limit.ts';
import type { Want } from './namespace-record.ts';
import type { Resolver } from './resolver.ts';

export interface Known {
  /** Undefined while nothing is known of the rules. */
  readonly acl: Acl | undefined;
  readonly catalog: Catalog;
  /** How old all that is. */
  readonly ages: Ages;
  /** The template refuses only what keys that were not granted allow. */
  readonly isDenylist: boolean;
}

export function wantsOf(
  { acl, catalog, ages, isDenylist }: Known,
  resolver: Resolver,
): (grants: readonly string[]) => Want {
  const isLocked = ages.rules === 'outdated';
  // A denylist opens what it does not name: without the keys there is nothing that it could close.
  if (acl === undefined) return () => (isLocked && !isDenylist ? LOCKED : UNKNOWN);
  if (ages.rules === 'awaited') return () => UNKNOWN;
  const fresh = granting(catalog, ages);
  return (asked) => {
    const grants = isLocked ? [] : asked;
    const resolution = resolver.resolve(grants, acl, fresh);
    // What is outdated grants nothing, and goes on to be closed.
    const others = isDenylist ? resolver.resolve(ungranted(grants, acl), acl, catalog) : undefined;
    const pending = resolution.pending.length + (others?.pending.length ?? 0);
    return { kind: 'rules', resolution, ungranted: others?.ruleSet, complete: pending === 0 };
  };
}

const ungranted = (grants: readonly string[], acl: Acl): readonly string[] =>
  [...acl.keys()].filter((key) => !grants.includes(key));

const NO_RESOLUTION: Resolution = { reasons: [], ruleSet: { layers: [] }, problems: [], pending: [] };
const LOCKED: Want = { kind: 'rules', resolution: NO_RESOLUTION, ungranted: undefined, complete: true };
/** Nothing is known of the rules yet. */
const UNKNOWN: Want = { ...LOCKED, complete: false };
