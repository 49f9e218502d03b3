/**
 * Removes what networks.json put into the network namespaces of containers: routes, and ports that lead elsewhere. Its
 * networks stay, and containers stay attached to them.
 */
import { isGone, isRoute, namespaceRefs } from '../../daemon/inner-leftovers.ts';
import { hasLastNetworks } from '../../daemon/state/networks-file.ts';
import type { EngineAccess } from '../../daemon/wiring.ts';
import type { NamespaceRef } from '../../dataplane/dataplane.ts';

import type { UninstallStep } from './step.ts';

/** False if the state folder has no networks.json: then nothing is started to look. Without such a folder, true. */
export const mayHaveNetworks = async (stateDir: string | undefined): Promise<boolean> =>
  stateDir === undefined || hasLastNetworks(stateDir);

type Access = Pick<EngineAccess, 'containers' | 'namespaceRoutes'>;

export async function findRoutes(
  engine: () => Promise<Access>,
  stateDir: string | undefined,
): Promise<readonly UninstallStep[]> {
  if (!(await mayHaveNetworks(stateDir))) return [];
  const { containers, namespaceRoutes } = await engine();
  const steps: UninstallStep[] = [];
  for (const ref of await namespaceRefs({ containers })) {
    const found = await look(ref, namespaceRoutes);
    if (found === 'none') continue;
    const what = found === 'routes' ? `in ${ref.name}` : `in ${ref.name}, which could not be read`;
    steps.push({ part: 'routes', what, remove: () => remove(ref, namespaceRoutes) });
  }
  return steps;
}

/** One that cannot be read keeps none of the others; removing its routes then says why. */
async function look(
  ref: NamespaceRef,
  routes: Access['namespaceRoutes'],
): Promise<'routes' | 'none' | 'unread'> {
  try {
    return (await routes?.read(ref))?.some(isRoute) ? 'routes' : 'none';
  } catch (error) {
    return isGone(error) ? 'none' : 'unread';
  }
}

async function remove(ref: NamespaceRef, routes: Access['namespaceRoutes']): Promise<undefined> {
  await routes?.set(ref, []).catch(unlessGone);
}

/** Rules and routes of a container end with it. */
function unlessGone(error: unknown): void {
  if (!isGone(error)) throw error;
}
