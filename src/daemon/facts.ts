/**
 * The data for answers in a controller: what it watches, and a cached catalog for services that it does not watch.
 */
import { EngineError, UserError } from '../common/errors.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { DiagnosticsSource } from '../diagnostics/diagnostics.ts';
import type { HostView } from '../diagnostics/host-view.ts';
import { findNamespace, pickNamespace } from '../diagnostics/namespace-view.ts';
import { withServices } from '../diagnostics/read-services.ts';
import type { Snapshot } from '../diagnostics/snapshot.ts';
import type { PortOverride } from '../features/host/port-overrides.ts';
import { shiftedNames } from '../features/names/summary.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import { pickContainer, pickNamed } from '../inventory/pick-container.ts';
import { parseAcl } from '../policy/acl.ts';
import type { NamespaceAnswer } from './api/diagnostics-routes.ts';
import type { Controller } from './controller.ts';
import type { Telemetry } from './telemetry.ts';
import type { Services } from './wiring.ts';

/** Where the keys are in Consul. */
type Folders = Pick<Snapshot, 'kvPath' | 'ingressPath'>;

export const factsOf = (
  controller: Controller,
  telemetry: Pick<Telemetry, 'denied' | 'deniedCalls'>,
  services: Pick<Services, 'readService' | 'readCatalog' | 'readIngressKeys'>,
  folders: Folders,
): DiagnosticsSource => ({
  snapshot: async ({ scope, also, ingress }) => {
    const snapshot = snapshotOf(controller, folders);
    const whole = ingress === 'always' ? await withIngress(snapshot, controller, services) : snapshot;
    return withServices(whole, services, scope, also);
  },
  host: async () => byHostClock(controller.answers.hostView()),
  hostOfCalls: async () => byHostClock(controller.answers.hostView()),
  ingress: async () => controller.answers.ingressViews(),
  deniedCalls: () => telemetry.deniedCalls(),
  denied: async (container) => {
    if (container === undefined) return telemetry.denied();
    const { id } = pickContainer(requireContainers(controller), container);
    return telemetry.denied(({ target, members }) =>
      [target, ...members.map((member) => member.container)].some((one) => one.id === id),
    );
  },
});

/** Ages do not depend on the host's clock, but readers compare the times with it. */
export function byHostClock(view: HostView, ms = Date.now() - steadyNow()): HostView {
  const later = (ports: readonly PortOverride[]) => ports.map((one) => ({ ...one, since: one.since + ms }));
  return {
    ...view,
    verifiedAt: view.verifiedAt === undefined ? undefined : view.verifiedAt + ms,
    byHand: new Map([...view.byHand].map(([id, ports]) => [id, later(ports)])),
  };
}

/** The status of the namespace that holds a container: what it may reach, and who may reach it. */
export function namespaceOf(
  controller: Controller,
  telemetry: Pick<Telemetry, 'status'>,
  container: string,
): NamespaceAnswer {
  const views = controller.answers.containerViews();
  const called = pickNamed(controller.answers.ingressNamespaces(), container, ({ inside }) => ({
    names: inside.map(({ name }) => name),
    ids: inside.map(({ id }) => id),
  }));
  const { id } = findNamespace(views, container) ?? called ?? pickNamespace(views, container);
  const status = telemetry.status(controller);
  const namespace = status.namespaces.find((one) => one.id === id);
  const ingress = status.ingress?.find((one) => one.id === id);
  if (namespace === undefined && ingress === undefined) throw new UserError(`${container} has just ended`);
  return { namespace, ingress, loader: status.controller?.loader, recordsDenied: status.recordsDenied };
}

/** Reads the keys from Consul if the controller does not watch them, because no container names one. */
async function withIngress(
  snapshot: Snapshot,
  controller: Controller,
  services: Pick<Services, 'readIngressKeys'>,
): Promise<Snapshot> {
  if (snapshot.ingress !== undefined) return snapshot;
  const acl = parseAcl(await services.readIngressKeys(), new Map(), 'ingress');
  return { ...snapshot, ingress: controller.answers.ingressSnapshot(acl) };
}

function snapshotOf(controller: Controller, { kvPath, ingressPath }: Folders): Snapshot {
  const snapshot = controller.answers.snapshot();
  if (snapshot === undefined) throw new UserError('the controller has not read the rules yet; try again');
  const ms = Date.now() - steadyNow();
  const namespaces = snapshot.namespaces?.map((one) => ({
    ...one,
    ...(one.names && { names: shiftedNames(one.names, ms) }),
  }));
  return { ...snapshot, namespaces, kvPath, ingressPath };
}

export function requireContainers({
  answers: { containers },
}: Controller): ReadonlyMap<ContainerId, Container> {
  if (containers !== undefined) return containers;
  throw new EngineError('the Docker Engine has not listed its containers yet; try again');
}
