/**
 * Removes the host's own rules: which ports of containers are open, and where ports of the host lead.
 */
import { mayHoldHostRules } from '../../daemon/state/host-files.ts';
import type { EngineAccess } from '../../daemon/wiring.ts';
import { HOST_REF } from '../../dataplane/dataplane.ts';
import type { UninstallStep } from './step.ts';

const OWNER = 'host';

/**
 * Nothing is started on a host that the state folder tells nothing of: its rules were never turned on. Undefined: there
 * is no such folder.
 */
export async function findHostRules(
  engine: () => Promise<EngineAccess>,
  stateDir: string | undefined,
): Promise<readonly UninstallStep[]> {
  if (stateDir !== undefined && !(await mayHoldHostRules(stateDir))) return [];
  const { hostDataplane, otherFirewalls } = await engine();
  const { passages } = (await otherFirewalls?.check()) ?? { passages: [] };
  const hasPassages = passages.some(({ state }) => state !== 'absent');
  if (!hasPassages && !(await hostDataplane.owners(HOST_REF)).includes(OWNER)) return [];
  const remove = async () => {
    await otherFirewalls?.remove();
    await hostDataplane.clear(HOST_REF, OWNER);
    return undefined;
  };
  return [{ part: 'rules', what: 'of this host: ports of containers, and forwards', remove }];
}
