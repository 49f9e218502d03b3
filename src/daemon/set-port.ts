/**
 * Opens or closes a container's port by hand, as the API asks.
 */
import { UserError } from '../common/errors.ts';
import { bridgeOf, guardAnswer, type HostView, openingAnswers } from '../diagnostics/host-view.ts';
import { isLoopback } from '../features/host/forwards.ts';
import type { Guard } from '../features/host/model.ts';
import { isSamePort, type PortOverride } from '../features/host/port-overrides.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { Container } from '../inventory/container.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { formatPrefix, type Prefix, parsePrefix } from '../net/address.ts';
import type { PortReply, PortRequest } from './api/host-schema.ts';
import type { Controller } from './controller.ts';
import { requireContainers } from './facts.ts';

export async function setPort(controller: Controller, request: PortRequest): Promise<PortReply> {
  const view = controller.answers.hostView();
  const { guard } = view;
  if (guard === undefined)
    throw new UserError('the controller guards no ports, so all are open; start it with --ports enforce');
  const container = pickContainer(requireContainers(controller), request.container);
  if (addressesOf(container).length === 0)
    throw new UserError(`${container.name} has no address of its own, so the guard knows no port of it`);
  if (request.rule.kind !== 'own') requireGuarded(container, guard, view);
  const { protocol, port } = request;
  await controller.setPort(container, { protocol, port }, ruleOf(request.rule));
  return replyOf(controller, container, request);
}

/** Where nothing is closed, it would be wrong to say that a port was opened or closed. */
function requireGuarded(container: Container, { families }: Guard, { rules }: HostView): void {
  const { name, ports } = container;
  const addresses = addressesOf(container);
  // A network that is new is not in the rules yet.
  const isGuarded = (address: Prefix) =>
    rules === undefined || (bridgeOf(address, rules)?.isGuarded ?? rules.guard?.guardsNewBridges);
  if (!addresses.some(isGuarded))
    throw new UserError(`${name} is on no guarded bridge (--ports-bridges), so all its ports are open`);
  const published = ports.flatMap(({ host }) => (isLoopback(host) ? [] : host));
  if ([...addresses, ...published].some(({ family }) => families.includes(family))) return;
  const guarded = families.map((family) => `IPv${family}`).join(' and ');
  throw new UserError(
    `${name} has no address and no published port of ${guarded}, and the guard looks at nothing else (--ports-family), so all its ports are open`,
  );
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

/** With those that are open in a family that is not guarded: Docker's proxy leads calls by another one there. */
function replyOf(controller: Controller, container: Container, request: PortRequest): PortReply {
  const view = controller.answers.hostView();
  const { state, guard, rules } = view;
  const { protocol, port } = request;
  return {
    ...{ container: container.name, protocol, port, state },
    ...(guard && { guard: { ...guardAnswer(guard), families: [...guard.families] } }),
    openings: openingAnswers(rules?.openings ?? [], view)
      .filter((one) => one.container === container.name && isSamePort(one, request))
      .map((one) => ({ ...one, from: one.from === 'anyone' ? one.from : [...one.from] })),
  };
}
