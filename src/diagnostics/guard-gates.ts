/**
 * What the ports guard of the host does with a call to a container, as the chains `guard` and `proxies` of the template.
 */
import { isLoopback } from '../features/host/forwards.ts';
import type { Guard, HostRuleSet, Opening } from '../features/host/model.ts';
import { isSamePort, overridesOf, type PortOverride } from '../features/host/port-overrides.ts';
import type { PortBinding } from '../inventory/network.ts';
import { contains, formatPrefix, type Prefix } from '../net/address.ts';
import { permitText } from './firewall-gates.ts';
import { type Call, closedGate, type GateAnswer, passes, unknown } from './gate-answer.ts';
import { bridgeOf, type HostView } from './host-view.ts';

/** As the chain `guard` decides. */
export function guardGate(call: Call, to: Prefix, view: HostView, rules: HostRuleSet): GateAnswer {
  const { container, source, protocol, port } = call;
  const { guard, byHand, limited, unknown: reason } = view;
  if (reason !== undefined) return unknown('guard', reason);
  const free = unguarded(source, to.family, guard) ?? besideTheGuard(source, to, rules);
  if (guard === undefined || free !== undefined) return passes('guard', free ?? '');
  if (protocol === 'icmp') return echoGate(call, to, guard, rules);
  const opening = rules.openings.find(
    (one) => one.protocol === protocol && one.port === port && contains(one.to, to),
  );
  if (opening !== undefined && isCaller(source, opening)) return passes('guard', opening.origin.text);
  const permitted = permitText(call, to, view, rules);
  if (permitted !== undefined) return passes('guard', permitted);
  if (opening !== undefined)
    return closedGate('guard', guard, `open only for ${callersText(opening.from)}: ${opening.origin.text}`);
  const set = overridesOf(container, byHand).find((one) => isSamePort(one, { protocol, port }));
  return closedGate('guard', guard, closedText(set, limited?.get(container.id)));
}

/** Echo requests pass to an address with an open port. */
function echoGate({ port: type }: Call, to: Prefix, guard: Guard, { openings }: HostRuleSet): GateAnswer {
  const isNeeded = to.family === 6 && NEEDED_BY_IPV6.has(type);
  if (isNeeded)
    return passes('guard', 'neighbour discovery and errors about the size of packets always pass');
  if (type !== (to.family === 4 ? 8 : 128))
    return closedGate('guard', guard, 'of ICMP only echo requests pass');
  return openings.some((one) => contains(one.to, to))
    ? passes('guard', 'a port of this address is open, so echo requests pass')
    : closedGate('guard', guard, 'no port of this address is open, so echo requests are denied too');
}

/** Packet-too-big, discovery of neighbours and routers, and multicast. */
const NEEDED_BY_IPV6: ReadonlySet<number> = new Set([2, 130, 131, 132, 133, 134, 135, 136, 143]);

/** Opened by hand for callers of the other family, it has no opening in this one. */
function closedText(byHand: PortOverride | undefined, keys: string | undefined): string {
  if (byHand === undefined)
    return keys === undefined
      ? 'no service is registered at this port'
      : `nobody is let in at this port by ${keys}`;
  return byHand.kind === 'close' ? 'closed by hand' : `opened by hand only for ${callersText(byHand.from)}`;
}

/** As the chain `proxies` decides about the port at which Docker's proxy listens. */
export function proxyGate(
  { source }: Call,
  binding: PortBinding,
  { guard, unknown: reason }: HostView,
  rules: HostRuleSet,
): GateAnswer {
  if (reason !== undefined) return unknown('proxy', reason);
  const free = unguarded(source, binding.host.family, guard);
  if (guard === undefined || free !== undefined) return passes('proxy', free ?? '');
  const from = bridgeOf(source, rules);
  if (from !== undefined && !guard.isBetween) return passes('proxy', BETWEEN);
  const proxied = rules.proxied.find(
    (one) =>
      one.protocol === binding.protocol && one.port === binding.hostPort && contains(one.at, binding.host),
  );
  if (proxied === undefined) return passes('proxy', 'the container is on no guarded bridge');
  if (proxied.from === 'anyone') return passes('proxy', 'the port behind it is open');
  if (proxied.from !== 'nobody' && proxied.from.some((one) => contains(one, source)))
    return passes('proxy', `the port behind it is open for ${callersText(proxied.from)}`);
  return closedGate('proxy', guard, "Docker's proxy carries the call, and the port behind it is closed");
}

/** Why the guard does not look at a call; undefined if it does. */
function unguarded(source: Prefix, family: 4 | 6, guard: Guard | undefined): string | undefined {
  if (guard === undefined) return 'no port is guarded (--ports off)';
  if (!guard.families.includes(family)) return `calls by IPv${family} are not guarded (--ports-family)`;
  return isLoopback(source) ? 'calls of this host itself are not guarded' : undefined;
}

function besideTheGuard(source: Prefix, to: Prefix, rules: HostRuleSet): string | undefined {
  const target = bridgeOf(to, rules);
  if (target === undefined) return 'its network has no bridge on this host';
  if (!target.isGuarded) return `the bridge ${target.name} is not guarded (--ports-bridges)`;
  const caller = bridgeOf(source, rules);
  if (caller === target && caller !== undefined) return `the caller is on the same bridge (${target.name})`;
  return caller !== undefined && rules.guard?.isBetween !== true ? BETWEEN : undefined;
}

const BETWEEN = 'callers on bridges of this Engine call freely (--ports-between allow)';

const isCaller = (source: Prefix, { from }: Opening): boolean =>
  from === 'anyone' || from.some((one) => contains(one, source));

const callersText = (from: readonly Prefix[] | 'anyone'): string =>
  from === 'anyone' ? from : from.map(formatPrefix).join(', ');
