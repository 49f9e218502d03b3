/**
 * What the controller keeps across restarts: each value of the previous run, and how the next one is kept.
 */
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import { ConnectionRecords } from './connection-records.ts';
import type { ControllerPorts } from './controller-ports.ts';
import { STATE_FILES } from './state/file-names.ts';
import {
  openConnections,
  openHostFiles,
  openInner,
  openLoads,
  openNetworks,
  openOverrides,
  openPortOverrides,
  openRegistrations,
  openState,
} from './state/open.ts';

export interface Closable {
  close(): Promise<void> | void;
}

/** Has it closed at the end, and returns it. */
export type CloseLater = <T extends Closable | undefined>(one: T) => T;

type Persisted = Pick<
  ControllerPorts,
  | ('previousState' | 'persistState' | 'previousOverrides' | 'persistOverrides')
  | ('previousLoads' | 'persistLoads' | 'previousIngressLoads' | 'persistIngressLoads')
  | ('hostMemory' | 'persistHostRules' | 'previousPorts' | 'persistPorts')
  | ('previousNetworks' | 'persistNetworks' | 'previousInner' | 'persistInner')
  | 'connectionRecords'
>;

export async function openPersisted(config: Config, log: Logger, closeLater: CloseLater): Promise<Persisted> {
  const state = closeLater(openState(config, log));
  const loads = closeLater(openLoads(config, log));
  const ingressLoads = closeLater(openLoads(config, log, STATE_FILES.ingressLoads));
  const overrides = closeLater(openOverrides(config, log));
  const hostFiles = closeLater(await openHostFiles(config, log));
  const ports = closeLater(openPortOverrides(config, log));
  const registrations = closeLater(openRegistrations(config, log));
  const networks = closeLater(openNetworks(config, log));
  const inner = closeLater(openInner(config, log));
  const connections = closeLater(openConnections(config, log));
  return {
    previousState: await state?.load(),
    persistState: (known) => state?.save(known),
    previousLoads: await loads?.load(),
    persistLoads: (all) => loads?.save(all),
    previousIngressLoads: await ingressLoads?.load(),
    persistIngressLoads: (all) => ingressLoads?.save(all),
    hostMemory: { previous: await registrations?.load(), persist: (matched) => registrations?.save(matched) },
    previousOverrides: await overrides?.load(),
    persistOverrides: (all) => overrides?.save(all),
    persistHostRules: hostFiles && ((...rules) => hostFiles.save(...rules)),
    previousPorts: await ports?.load(),
    persistPorts: (all) => ports?.save(all),
    previousNetworks: await networks?.load(),
    persistNetworks: (text) => networks?.save(text),
    previousInner: await inner?.load(),
    persistInner: (all) => inner?.save(all),
    connectionRecords: new ConnectionRecords(await connections?.load(), (all) => connections?.save(all)),
  };
}
