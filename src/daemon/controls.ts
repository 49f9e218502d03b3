/**
 * What the local API may do with a controller.
 */

import { UserError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import { createDiagnostics } from '../diagnostics/diagnostics.ts';
import type { Override } from '../features/egress/overrides.ts';
import { chooseTargets } from '../features/egress/targets.ts';
import type { Container } from '../inventory/container.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { requireKnown } from '../policy/known-keys.ts';
import type { OverrideReply, OverrideRequest } from './api/schema.ts';
import type { Controls } from './api/server.ts';
import type { Controller } from './controller.ts';
import { factsOf, namespaceOf, requireContainers } from './facts.ts';
import { keptIngress, unsupportedResults } from './override-results.ts';
import { setPort } from './set-port.ts';
import type { Telemetry } from './telemetry.ts';
import type { Services } from './wiring.ts';

export function controlsOf(
  controller: Controller,
  telemetry: Telemetry,
  services: Services,
  { consul, docker }: Config,
): Controls {
  return {
    status: () => telemetry.status(controller),
    ready: () => controller.answers.isReady,
    unreadable: () => controller.answers.unreadable,
    networksErrors: () => controller.answers.networksErrors,
    override: (request) => override(controller, request),
    setPort: (request) => setPort(controller, request),
    sources: () => ({
      ...{ consul: consul.address, kvPath: consul.kvPath, ingressPath: consul.ingressPath },
      docker: docker.host,
    }),
    namespace: (container) => namespaceOf(controller, telemetry, container),
    diagnostics: createDiagnostics(factsOf(controller, telemetry, services, consul)),
    metrics: () => telemetry.metrics.render(),
  };
}

async function override(controller: Controller, request: OverrideRequest): Promise<OverrideReply> {
  const { mode } = controller.answers;
  const containers = requireContainers(controller);
  const { container: choice, rules } = request;
  if (rules.kind === 'set' && rules.force !== true) requireKnownTo(controller, rules.grants);
  const grants =
    rules.kind === 'set' ? rules.grants : rules.kind === 'clear' && 'name' in choice ? [] : undefined;
  const { namespaces, unsupported } = chooseTargets(containers, { choice, grants, mode });
  const named = 'name' in choice ? pickContainer(containers, choice.name).id : undefined;
  const meant = namespaces
    .flatMap(({ members }) => members.map(({ container }) => container))
    .filter(({ id }) => named === undefined || id === named);
  await controller.override(meant, overrideOf(rules));
  const left = rules.kind === 'clear' ? keptIngress : () => [];
  return { results: [...resultsOf(controller, meant, left), ...unsupportedResults(unsupported)] };
}

function requireKnownTo({ answers: { acl } }: Controller, grants: readonly string[]): void {
  if (acl === undefined)
    throw new UserError('the controller has not read the rules yet and cannot check these keys; try again');
  requireKnown(grants, acl);
}

function overrideOf(rules: OverrideRequest['rules']): Override | undefined {
  if (rules.kind === 'own') return undefined;
  return rules.kind === 'clear' ? { kind: 'clear' } : { kind: 'set', grants: rules.grants };
}

/** `left`: what the override leaves of a container's rules. */
function resultsOf(
  controller: Controller,
  meant: readonly Container[],
  left: typeof keptIngress,
): OverrideReply['results'] {
  const { namespaces } = controller.answers.status();
  return meant.map((container) => {
    const { id, name, startedAt } = container;
    const status = namespaces.find((one) => one.id === `${id}@${startedAt}` || one.workloads.includes(name));
    return {
      container: name,
      state: status?.state ?? 'cleared',
      error: status?.lastError,
      problems: [...(status?.problems ?? []), ...left([container])],
    };
  });
}
