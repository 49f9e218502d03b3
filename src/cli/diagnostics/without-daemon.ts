/**
 * Answers questions without a controller, from Consul and the Engine.
 */

import { UserError } from '../../common/errors.ts';
import type { Config } from '../../config/config.ts';
import { templateFacts } from '../../daemon/snapshot.ts';
import { openConsul, openServices, openTemplate } from '../../daemon/wiring.ts';
import { createDiagnostics, type Diagnostics, type Need } from '../../diagnostics/diagnostics.ts';
import { HOST_OFF, type HostView } from '../../diagnostics/host-view.ts';
import { type IngressSnapshot, ingressSnapshot, ingressViewsBy } from '../../diagnostics/ingress-snapshot.ts';
import { withServices } from '../../diagnostics/read-services.ts';
import type { Snapshot } from '../../diagnostics/snapshot.ts';
import type { IngressView } from '../../features/ingress/view.ts';
import type { RuleSource } from '../../inventory/sources.ts';
import { parseAcl } from '../../policy/acl.ts';
import {
  alone,
  type FoundContainers,
  ingressIn,
  listContainers,
  noController,
  type Place,
  type Running,
  readContainers,
  readDenied,
  readDeniedCalls,
} from './engine.ts';

/** Milliseconds for which `denied --follow` uses the same snapshot. */
const KEPT = 60_000;

export function diagnosticsWithoutDaemon(place: Place): Diagnostics {
  let last: { readonly need: string; readonly at: number; readonly snapshot: Promise<Snapshot> } | undefined;
  return createDiagnostics({
    snapshot: (need) => {
      const asked = JSON.stringify(need);
      if (last?.need === asked && Date.now() - last.at < KEPT) return last.snapshot;
      const snapshot = readContainers(need, place).then((found) => readSnapshot(need, found, place.config));
      last = { need: asked, at: Date.now(), snapshot };
      return snapshot;
    },
    denied: (container) => readDenied(container, place),
    host: async () => {
      throw new UserError(`${onlyByController(place.config)}; start one, or give its --socket`);
    },
    hostOfCalls: async () => containersAlone(await listContainers(place), place.config),
    ingress: () => readIngressViews(place),
    deniedCalls: () => readDeniedCalls(place),
  });
}

const onlyByController = (config: Config): string =>
  `${noController(config)}, and it alone knows the rules of the host`;

const containersAlone = (running: Running, config: Config): HostView => ({
  ...HOST_OFF,
  containers: [...running.values()],
  unknown: onlyByController(config),
});

/** Reads Consul as the controller would. */
async function readSnapshot(need: Need, found: FoundContainers, config: Config): Promise<Snapshot> {
  const { running, ...containers } = found;
  const { kvPath, ingressPath } = config.consul;
  const consul = openConsul(config);
  const services = openServices(config, consul);
  try {
    const rules = await rulesIn(consul, config);
    const snapshot: Snapshot = {
      ...containers,
      ...{ acl: parseAcl(rules), catalog: new Map(), unread: new Map() },
      ...{ protectedHosts: config.protectedHosts, kvPath, ingressPath },
      ...templateFacts(openTemplate(config)),
      ingress: await readIngress(need, running, consul, config),
    };
    return await withServices(snapshot, services, need.scope, need.also);
  } finally {
    services.close();
    consul.close();
  }
}

const rulesIn = (consul: RuleSource, config: Config, direction?: 'ingress') =>
  consul.readRules(direction).catch((error: unknown) => {
    throw alone(config, error);
  });

/** Not read where no question is about it: the token may not be allowed to. */
async function readIngress(
  { ingress }: Pick<Need, 'ingress'>,
  running: Running | undefined,
  consul: RuleSource,
  config: Config,
): Promise<IngressSnapshot | undefined> {
  const namespaces = running && ingressIn(running, config);
  const isNamed = namespaces !== undefined && namespaces.length > 0;
  if (ingress === undefined || (ingress === 'ifNamed' && !isNamed)) return undefined;
  const acl = parseAcl(await rulesIn(consul, config, 'ingress'), new Map(), 'ingress');
  return ingressSnapshot(acl, namespaces, running && { node: config.node, containers: running });
}

/** What the keys say of each container that names some. */
async function readIngressViews(place: Place): Promise<readonly IngressView[]> {
  const { config } = place;
  const running = await listContainers(place);
  const namespaces = ingressIn(running, config);
  if (namespaces.length === 0) return [];
  const need = { scope: 'named', ingress: 'ifNamed' } as const;
  const none = { running, namespaces: [], unsupported: [], notEnabled: [] };
  const { ingress, catalog } = await readSnapshot(need, none, config);
  return ingress === undefined ? [] : ingressViewsBy(namespaces, ingress, catalog);
}
