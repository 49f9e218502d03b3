/**
 * The data for answers in a controller: what it watches, and a cached catalog for services that it does not watch.
 */
import { EngineError, UserError } from '../common/errors.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { DiagnosticsSource } from '../diagnostics/diagnostics.ts';
import type { HostView } from '../diagnostics/host-view.ts';
import { pickNamespace } from '../diagnostics/namespace-view.ts';
import { type ServiceReader, withServices } from '../diagnostics/read-services.ts';
import type { Snapshot } from '../diagnostics/snapshot.ts';
import type { PortOverride } from '../features/host/port-overrides.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import type { NamespaceAnswer } from './api/diagnostics-routes.ts';
import type { Controller } from './controller.ts';
import type { Telemetry } from './telemetry.ts';

export const factsOf = (
  controller: Controller,
  telemetry: Telemetry,
  services: ServiceReader,
  kvPath: string,
): DiagnosticsSource => ({
  snapshot: async ({ scope, also }) => withServices(snapshotOf(controller, kvPath), services, scope, also),
  host: async () => byHostClock(controller.hostView()),
  ingress: async () => controller.ingressViews(),
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
function byHostClock(view: HostView): HostView {
  const ms = Date.now() - steadyNow();
  const later = (ports: readonly PortOverride[]) => ports.map((one) => ({ ...one, since: one.since + ms }));
  return {
    ...view,
    verifiedAt: view.verifiedAt === undefined ? undefined : view.verifiedAt + ms,
    byHand: new Map([...view.byHand].map(([id, ports]) => [id, later(ports)])),
  };
}

/** The status of the namespace that holds a container. */
export function namespaceOf(
  controller: Controller,
  telemetry: Telemetry,
  container: string,
): NamespaceAnswer {
  const { id } = pickNamespace(controller.containerViews(), container);
  const { namespaces, controller: about, recordsDenied } = telemetry.status(controller);
  const namespace = namespaces.find((one) => one.id === id);
  if (namespace === undefined) throw new UserError(`${container} has just ended`);
  return { namespace, loader: about?.loader, recordsDenied };
}

function snapshotOf(controller: Controller, kvPath: string): Snapshot {
  const snapshot = controller.snapshot();
  if (snapshot === undefined) throw new UserError('the controller has not read the rules yet; try again');
  return { ...snapshot, kvPath };
}

export function requireContainers({ containers }: Controller): NonNullable<Controller['containers']> {
  if (containers !== undefined) return containers;
  throw new EngineError('the Docker Engine has not listed its containers yet; try again');
}
