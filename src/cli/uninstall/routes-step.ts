/**
 * Removes what networks.json put into the network namespaces of containers: routes, and ports that lead elsewhere. Its
 * networks stay, and containers stay attached to them.
 */
import { isGone, isRoute, namespaceRefs } from '../../daemon/inner-leftovers.ts';
import { hasLastNetworks } from '../../daemon/state/networks-file.ts';
import type { EngineAccess } from '../../daemon/wiring.ts';
import type { UninstallStep } from './step.ts';

/** False if the state folder has no networks.json: then nothing is started to look. Without such a folder, true. */
export const mayHaveNetworks = async (stateDir: string | undefined): Promise<boolean> =>
  stateDir === undefined || hasLastNetworks(stateDir);

export async function findRoutes(
  engine: () => Promise<EngineAccess>,
  stateDir: string | undefined,
): Promise<readonly UninstallStep[]> {
  if (!(await mayHaveNetworks(stateDir))) return [];
  const { containers, namespaceRoutes } = await engine();
  const steps: UninstallStep[] = [];
  for (const ref of await namespaceRefs({ containers })) {
    const lines = await namespaceRoutes?.read(ref).catch(unlessGone);
    if (!lines?.some(isRoute)) continue;
    const remove = async () => {
      await namespaceRoutes?.set(ref, []).catch(unlessGone);
      return undefined;
    };
    steps.push({ part: 'routes', what: `in ${ref.name}`, remove });
  }
  return steps;
}

/** Rules and routes of a container end with it. */
function unlessGone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}
