/**
 * Removes the gate from the Engine's daemon.json, and its files from the host.
 */
import { rmdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type GateSettings, onHost, RUNTIME } from '../../gate/layout.ts';
import { type GateStatus, gateStatus } from '../../gate/status.ts';
import { uninstallGate } from '../../gate/uninstall.ts';
import type { UninstallStep } from './step.ts';

export const isThere = ({ installed, knownToEngine }: GateStatus): boolean =>
  installed || knownToEngine === true;

export async function findGate(settings: GateSettings, force: boolean): Promise<readonly UninstallStep[]> {
  const status = await gateStatus(settings);
  if (!isThere(status)) return [];
  return [
    {
      part: 'gate',
      what: `the runtime "${RUNTIME}" of the Docker Engine, with ${settings.libDir}`,
      remove: async () => {
        await uninstallGate(settings, force);
        if (isThere(await gateStatus(settings)))
          return 'running containers need it to end; run this again when they have ended';
        const parent = dirname(settings.libDir);
        if (basename(parent) === 'egresstrator') await rmdir(onHost(settings, parent)).catch(() => undefined);
        return undefined;
      },
    },
  ];
}
