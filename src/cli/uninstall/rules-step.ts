/**
 * Removes the rules from the network namespaces of all running containers, workloads or not: `set` can load rules
 * in any of them.
 */

import { LoadError } from '../../common/errors.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import type { EngineAccess } from '../../daemon/wiring.ts';
import type { NamespaceRef } from '../../dataplane/dataplane.ts';
import { planNamespaces } from '../../features/egress/workload-namespaces.ts';
import type { Workload } from '../../inventory/workload.ts';
import type { UninstallStep } from './step.ts';

/** Treats every container as a workload, so that the plan has all namespaces except the host's. */
const ANY: Workload = { mode: 'enforce', dns: 'resolvers', grants: [], problems: [] };

export async function findRules({ containers, dataplane }: EngineAccess): Promise<readonly UninstallStep[]> {
  const { namespaces } = planNamespaces(await containers.list(), () => ANY);
  const steps: UninstallStep[] = [];
  for (const namespace of namespaces) {
    const ref = refOf(namespace);
    if (!(await mayHold(ref, dataplane))) continue;
    const remove = async () => {
      await dataplane.clear(ref).catch(unlessGone);
      return undefined;
    };
    steps.push({ part: 'rules', what: `in ${ref.name}`, remove });
  }
  return steps;
}

/** True also if the namespace cannot be inspected; clearing it then reports why. */
async function mayHold(ref: NamespaceRef, dataplane: EngineAccess['dataplane']): Promise<boolean> {
  try {
    return (await dataplane.owners(ref)).length > 0;
  } catch (error) {
    return !isGone(error);
  }
}

/** The rules of a container end with it. */
function unlessGone(error: unknown): void {
  if (!isGone(error)) throw error;
}

const isGone = (error: unknown): boolean => error instanceof LoadError && error.gone;
