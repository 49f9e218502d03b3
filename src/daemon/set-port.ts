/**
 * Opens or closes a container's port by hand, as the API asks.
 */
import { UserError } from '../common/errors.ts';
import { hostAnswer } from '../diagnostics/host-view.ts';
import { isSamePort, type PortOverride } from '../features/host/port-overrides.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { Container } from '../inventory/container.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../net/address.ts';
import type { PortReply, PortRequest } from './api/host-schema.ts';
import type { Controller } from './controller.ts';
import { requireContainers } from './facts.ts';

export async function setPort(controller: Controller, request: PortRequest): Promise<PortReply> {
  const { guard } = controller.hostView();
  if (guard === undefined)
    throw new UserError('the controller guards no ports, so all are open; start it with --ports enforce');
  const container = pickContainer(requireContainers(controller), request.container);
  if (addressesOf(container).length === 0)
    throw new UserError(`${container.name} has no address of its own, so the guard knows no port of it`);
  const { protocol, port } = request;
  await controller.setPort(container, { protocol, port }, ruleOf(request.rule));
  return replyOf(controller, container, request);
}

function ruleOf(rule: PortRequest['rule']): Pick<PortOverride, 'kind' | 'from'> | undefined {
  if (rule.kind === 'own') return undefined;
  if (rule.kind === 'close') return { kind: 'close', from: 'anyone' };
  return { kind: 'open', from: rule.from === 'anyone' ? rule.from : rule.from.map(sourceOf) };
}

function sourceOf(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new UserError(`--from: ${parsed.reason}`);
  if (parsed.hostBits)
    throw new UserError(`--from: "${text}" has bits beyond its length; write ${formatPrefix(parsed.prefix)}`);
  return parsed.prefix;
}

function replyOf(controller: Controller, container: Container, request: PortRequest): PortReply {
  const { state, openings } = hostAnswer(controller.hostView());
  const { protocol, port } = request;
  return {
    ...{ container: container.name, protocol, port, state },
    openings: openings
      .filter((one) => one.container === container.name && isSamePort(one, request))
      .map((one) => ({ ...one, from: one.from === 'anyone' ? one.from : [...one.from] })),
  };
}
