/**
 * What networks.json has put into the network namespaces of containers, once it is turned off: ports that lead elsewhere,
 * and routes. The host's rules follow the other options by themselves; these have no other end.
 */
import { LoadError, messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import { namespacesOf } from '../inventory/namespace.ts';
import { refOf } from './ruleset-loader.ts';
import { forgetNetworks, hasLastNetworks } from './state/networks-file.ts';
import type { EngineAccess } from './wiring.ts';

type Access = Pick<EngineAccess, 'containers' | 'dataplane' | 'namespaceRoutes'>;

const OWNER = 'nat';

/** For a controller without networks.json. What could not be removed is tried again at the next start. Never fails. */
export async function removeInnerLeftovers(
  { networks, host, dryRun, stateDir }: Pick<Config, 'networks' | 'host' | 'dryRun' | 'stateDir'>,
  access: Access,
  log: Logger,
): Promise<void> {
  // Without the host's rules, `host clear` removes all of it together.
  if (networks !== undefined || host === undefined || dryRun || stateDir === undefined) return;
  if (!(await hasLastNetworks(stateDir))) return;
  try {
    await clearInner(access);
    await forgetNetworks(stateDir);
    log.info({}, 'networks.json is turned off; its ports and routes in containers are removed');
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'ports and routes of networks.json in containers are left');
  }
}

/** For all running containers. One that fails keeps none of the others; the first failure is thrown in the end. */
export async function clearInner(access: Access): Promise<void> {
  const failures: unknown[] = [];
  for (const ref of await namespaceRefs(access))
    await clearOne(ref, access).catch((error) => {
      if (!isGone(error)) failures.push(error);
    });
  if (failures.length > 0) throw failures[0];
}

async function clearOne(ref: NamespaceRef, { dataplane, namespaceRoutes }: Access): Promise<void> {
  if ((await dataplane.owners(ref)).includes(OWNER)) await dataplane.clear(ref, OWNER);
  if ((await namespaceRoutes?.read(ref))?.some(isRoute)) await namespaceRoutes?.set(ref, []);
}

export async function namespaceRefs({
  containers,
}: Pick<Access, 'containers'>): Promise<readonly NamespaceRef[]> {
  const namespaces = namespacesOf(await containers.list());
  return [...namespaces.values()].flatMap((one) => (one.kind === 'host' ? [] : [refOf(one)]));
}

/** The other lines say that a namespace forwards, which is left as it is. */
export const isRoute = (line: string): boolean => !line.startsWith('forward ');

/** Rules and routes of a container end with it. */
export const isGone = (error: unknown): boolean => error instanceof LoadError && error.gone;
