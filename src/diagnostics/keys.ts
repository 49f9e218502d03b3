/**
 * Lists all keys of one direction with what they allow, their holders and their problems. Pure.
 */

import type { Direction } from '../common/direction.ts';
import type { Problem } from '../common/problem.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, compile, grantedKeys } from '../policy/compile.ts';
import { nameLines } from '../policy/compile-names.ts';
import type { WorkloadGrants } from './diff.ts';

export interface KeyUse {
  readonly key: string;
  /** False if a workload has it but Consul does not. */
  readonly exists: boolean;
  /** The number of valid lines. */
  readonly rules: number;
  /** The number of prefixes with a protocol and ports in these lines, including the instances of services. */
  readonly destinations: number;
  /** The number of rules by name among these lines; absent: none. */
  readonly names?: number | undefined;
  /** The names of workloads with this key, sorted; undefined if not known. */
  readonly heldBy?: readonly string[] | undefined;
  readonly problems: readonly Problem[];
}

export interface KeysView {
  readonly acl: Acl;
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  /** Undefined if not known. */
  readonly workloads: readonly WorkloadGrants[] | undefined;
}

/** Sorted by name, including keys that a workload has but Consul does not. */
export function keyUses(
  { acl, catalog, protectedHosts, workloads }: KeysView,
  direction: Direction = 'egress',
): readonly KeyUse[] {
  const holders = holdersOf(workloads ?? []);
  return [...new Set([...acl.keys(), ...holders.keys()])].sort().map((key) => {
    const { reasons, problems } = compile([key], acl, catalog, protectedHosts, direction);
    const names = nameLines(grantedKeys([key], acl)).length;
    return {
      key,
      exists: acl.has(key),
      rules: acl.get(key)?.rules.length ?? 0,
      destinations: reasons.length,
      ...(names > 0 && { names }),
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
