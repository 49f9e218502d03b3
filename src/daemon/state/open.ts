/**
 * Opens the files of the state folder that a configuration asks for. A dry run loads nothing, so it records no loads.
 */
import { release } from 'node:os';
import { version } from '../../common/assets.ts';
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { bootId } from '../../common/steady-clock.ts';
import type { Config } from '../../config/config.ts';
import type { HostDataplane } from '../../dataplane/dataplane.ts';
import { ConnectionsFile } from './connections-file.ts';
import { DeniedFile } from './denied-file.ts';
import { STATE_FILES } from './file-names.ts';
import { HostFiles, LEFT_ON_HOST, turnOffHostFiles } from './host-files.ts';
import { InnerFile } from './inner-file.ts';
import { LoadsFile } from './loads-file.ts';
import { LastNetworksFile } from './networks-file.ts';
import { OverridesFile } from './overrides-file.ts';
import { PortOverridesFile } from './port-overrides-file.ts';
import { RegistrationsFile } from './registrations-file.ts';
import { restoreHost } from './restore-host.ts';
import { StateFile } from './state-file.ts';

/** Ages are written often enough that a crash costs at most a tenth of the limit. */
export const openState = ({ stateDir, maxAge }: Config, log: Logger) =>
  stateDir === undefined ? undefined : new StateFile(stateDir, log, maxAge && { refresh: maxAge.limit / 10 });

/** `name`: each owner of rules in containers has a file of its own. */
export const openLoads = (
  { stateDir, dryRun, loader, docker }: Config,
  log: Logger,
  name: string = STATE_FILES.loads,
) => {
  const reader = [version(), loader, docker.image ?? '', release()].join(' ');
  return stateDir === undefined || dryRun ? undefined : new LoadsFile(stateDir, reader, log, { name });
};

export const openDenied = ({ stateDir, dryRun }: Config, log: Logger) =>
  stateDir === undefined || dryRun ? undefined : new DeniedFile(stateDir, log);

export const openDeniedIngress = ({ stateDir, dryRun }: Config, log: Logger) =>
  stateDir === undefined || dryRun
    ? undefined
    : new DeniedFile(stateDir, log, { name: STATE_FILES.deniedIngress, what: 'record of denied callers' });

export const openOverrides = ({ stateDir, dryRun }: Config, log: Logger) =>
  stateDir === undefined || dryRun ? undefined : new OverridesFile(stateDir, log);

/** The host's rules may have been on in an earlier run. Nobody asks the host itself: off means that nothing runs there. */
export async function openHostFiles(
  { stateDir, dryRun, host }: Pick<Config, 'stateDir' | 'dryRun' | 'host'>,
  log: Logger,
) {
  if (stateDir === undefined || dryRun) return undefined;
  if (host !== undefined) {
    const files = new HostFiles(stateDir, bootId(), log);
    await files.begin();
    return files;
  }
  try {
    if (await turnOffHostFiles(stateDir, bootId())) log.warn({}, LEFT_ON_HOST);
  } catch (error) {
    log.warn(
      { path: stateDir, error: messageOf(error) },
      'what was kept of the rules of the host could not be removed',
    );
  }
  return undefined;
}

/** A guard that only observes keeps nothing closed, so none is restored for it. */
export async function openLastHostRules(
  { stateDir, dryRun, host }: Config,
  dataplane: Pick<HostDataplane, 'inspect' | 'load'>,
  log: Logger,
): Promise<void> {
  if (stateDir === undefined || dryRun || host?.guard?.mode !== 'enforce') return;
  await restoreHost(stateDir, bootId(), dataplane, log);
}

export const openPortOverrides = ({ stateDir, dryRun, host }: Config, log: Logger) =>
  stateDir === undefined || dryRun || host === undefined ? undefined : new PortOverridesFile(stateDir, log);

export const openRegistrations = ({ stateDir, dryRun, host }: Config, log: Logger) =>
  stateDir === undefined || dryRun || host?.guard === undefined
    ? undefined
    : new RegistrationsFile(stateDir, log);

export const openNetworks = ({ stateDir, dryRun, networks }: Config, log: Logger) =>
  stateDir === undefined || dryRun || networks === undefined
    ? undefined
    : new LastNetworksFile(stateDir, networks, log);

export const openInner = ({ stateDir, dryRun, networks }: Config, log: Logger) =>
  stateDir === undefined || dryRun || networks === undefined ? undefined : new InnerFile(stateDir, log);

export const openConnections = ({ stateDir, dryRun, host }: Config, log: Logger) =>
  stateDir === undefined || dryRun || host === undefined ? undefined : new ConnectionsFile(stateDir, log);
