/**
 * All ACL keys: what each allows, who holds it, and what is wrong with it. Pure.
 */

import type { Problem } from '../common/problem.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, compile } from '../policy/compile.ts';
import type { WorkloadGrants } from './diff.ts';

export interface KeyUse {
  readonly key: string;
  /** False: somebody holds it, but Consul does not have it. */
  readonly exists: boolean;
  /** Lines that are rules. */
  readonly rules: number;
  /** Prefixes with a protocol and ports that these come to; services with their instances. */
  readonly destinations: number;
  /** Names of workloads, sorted; undefined: nobody could tell them. */
  readonly heldBy?: readonly string[] | undefined;
  readonly problems: readonly Problem[];
}

export interface KeysView {
  readonly acl: Acl;
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  /** undefined: nobody could tell them. */
  readonly workloads: readonly WorkloadGrants[] | undefined;
}

/** Sorted by name; those that somebody holds and nobody has written are among them. */
export function keyUses({ acl, catalog, protectedHosts, workloads }: KeysView): readonly KeyUse[] {
  const holders = holdersOf(workloads ?? []);
  return [...new Set([...acl.keys(), ...holders.keys()])].sort().map((key) => {
    const { reasons, problems } = compile([key], acl, catalog, protectedHosts);
    return {
      key,
      exists: acl.has(key),
      rules: acl.get(key)?.rules.length ?? 0,
      destinations: reasons.length,
      heldBy: workloads === undefined ? undefined : (holders.get(key) ?? []),
      problems,
    };
  });
}

function holdersOf(workloads: readonly WorkloadGrants[]): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, readonly string[]>();
  for (const { name, grants } of workloads.toSorted(byName))
    for (const grant of new Set(grants)) holders.set(grant, [...(holders.get(grant) ?? []), name]);
  return holders;
}

const byName = (one: WorkloadGrants, other: WorkloadGrants): number => (one.name < other.name ? -1 : 1);
