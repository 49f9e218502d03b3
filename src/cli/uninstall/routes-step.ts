/**
 * Removes what networks.json put into the network namespaces of containers: routes, and ports that lead elsewhere. Its
 * networks stay, and containers stay attached to them.
 */
import { LoadError } from '../../common/errors.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import { hasLastNetworks } from '../../daemon/state/networks-file.ts';
import type { EngineAccess } from '../../daemon/wiring.ts';
import type { NamespaceRef } from '../../dataplane/dataplane.ts';
import { namespacesOf } from '../../inventory/namespace.ts';
import type { UninstallStep } from './step.ts';

const OWNER = 'nat';

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
  for (const ref of await refsOf(containers)) {
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

/** For all running containers. */
export async function clearInner(engine: EngineAccess): Promise<void> {
  const { containers, dataplane, namespaceRoutes } = engine;
  for (const ref of await refsOf(containers)) {
    const owners = await dataplane.owners(ref).catch(unlessGone);
    if (owners?.includes(OWNER)) await dataplane.clear(ref, OWNER).catch(unlessGone);
    const lines = await namespaceRoutes?.read(ref).catch(unlessGone);
    if (lines?.some(isRoute)) await namespaceRoutes?.set(ref, []).catch(unlessGone);
  }
}

async function refsOf(containers: EngineAccess['containers']): Promise<readonly NamespaceRef[]> {
  const namespaces = namespacesOf(await containers.list());
  return [...namespaces.values()].flatMap((one) => (one.kind === 'host' ? [] : [refOf(one)]));
}

/** The other lines say that a namespace forwards, which is left as it is. */
const isRoute = (line: string): boolean => !line.startsWith('forward ');

/** Rules and routes of a container end with it. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof LoadError && error.gone)) throw error;
}
