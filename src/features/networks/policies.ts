/**
 * The entries of `policies`, from their fields: which of the three kinds each is.
 *
 * `from`: a permit. `nat` with `iface`: a forward on a device of this host. `nat` with a container and no device: a
 * forward inside that container. A device and a container together may mean either, and `where` decides.
 */
import { quote } from '../../common/text.ts';
import type { Range } from '../../net/ranges.ts';
import type { PolicyEntry, TargetNames } from './model.ts';
import { bare } from './names.ts';
import { type Origin, problemAt, type ReadEntry, rejectedFor } from './problems.ts';
import type { PolicyFields } from './schema.ts';

export function readPolicy(fields: PolicyFields, origin: Origin): ReadEntry<PolicyEntry> {
  const { from, nat } = fields;
  if (from !== undefined && nat !== undefined)
    return rejected(origin, undefined, 'has both "from" and "nat"; write two policies, one with each');
  if (from !== undefined) return readPermit(fields, from, origin);
  if (nat !== undefined) return readForward(fields, origin);
  return rejected(
    origin,
    undefined,
    'has neither "from" (who may reach the target) nor "nat": "dnat" (where a port leads); write one of them',
  );
}

function readPermit(fields: PolicyFields, from: string, origin: Origin): ReadEntry<PolicyEntry> {
  const range = rangeOf(fields.port);
  if (range === undefined) return rejected(origin, 'port', wrongRange(fields.port));
  const target = targetOf(fields);
  if (isEmpty(target)) return rejected(origin, undefined, NO_TARGET);
  const idle = (['iface', 'to_port', 'where'] as const).filter((name) => fields[name] !== undefined);
  return {
    entry: { kind: 'permit', from, target, protocol: fields.proto, range, origin },
    problems: idle.map((name) =>
      problemAt('warning', origin, name, 'has no effect beside "from"; it belongs to "nat": "dnat"'),
    ),
  };
}

function readForward(fields: PolicyFields, origin: Origin): ReadEntry<PolicyEntry> {
  const { to, iface, proto: protocol } = fields;
  const ports = portsOf(fields);
  if ('field' in ports) return rejected(origin, ports.field, ports.reason);
  if (iface !== undefined && !IS_DEVICE.test(iface))
    return rejected(origin, 'iface', `${quote(iface)} is no name of a device; write one as wg0`);
  const inside = fields.name ?? fields.selector ?? fields.container_name;
  const where = fields.where ?? (iface === undefined ? 'container' : 'host');
  // Without `to`, the target is what the policy is about, as in a permit.
  const target = to === undefined ? targetOf(fields) : { ...NO_NAMES, to };
  if (isEmpty(target)) return rejected(origin, undefined, NO_TARGET);
  const base = { target, protocol, origin, ...ports };
  if (where === 'host') {
    if (iface === undefined) return rejected(origin, 'iface', 'is missing; write the device of this host');
    const perhapsIn = fields.where === undefined ? otherContainer(fields) : undefined;
    return { entry: { kind: 'host', device: iface, perhapsIn, ...base }, problems: [] };
  }
  if (inside === undefined)
    return rejected(
      origin,
      undefined,
      'names neither a device of this host ("iface") nor the container in which the port leads to another ("name"); write one of them',
    );
  if (leadsToItself(inside, target))
    return rejected(origin, undefined, `leads from ${quote(inside)} to itself; write "name" or "to"`);
  return { entry: { kind: 'container', inside, device: iface, ...base }, problems: [] };
}

/** A container beside a device of this host that is not the target itself: it may be the place that is meant. */
function otherContainer({ name, selector, to }: PolicyFields): string | undefined {
  if (name !== undefined) return name;
  return selector !== undefined && to !== undefined && bare(selector) !== bare(to) ? selector : undefined;
}

const leadsToItself = (inside: string, { to, selector, container }: TargetNames): boolean =>
  [to, selector, container].some((one) => one !== undefined && bare(one) === bare(inside));

const IS_DEVICE = /^[A-Za-z0-9._-]{1,15}$/;

const NO_NAMES: TargetNames = {
  ...{ to: undefined, selector: undefined, container: undefined, service: undefined },
};

const NO_TARGET = 'names no target; write "to", "selector", "container_name" or "service_name"';

const targetOf = ({ to, selector, container_name, service_name }: PolicyFields): TargetNames => ({
  ...{ to, selector, container: container_name, service: service_name },
});

const isEmpty = (names: TargetNames): boolean => Object.values(names).every((one) => one === undefined);

type Ports =
  | { readonly port: number; readonly toPort: number }
  | { readonly field: 'port' | 'to_port'; readonly reason: string };

/** Both ports of a forward, or the field that is wrong. */
function portsOf({ port, to_port: toPort = port }: PolicyFields): Ports {
  const [from, to] = [rangeOf(port), rangeOf(toPort)];
  if (from === undefined) return { field: 'port', reason: wrongRange(port) };
  if (to === undefined) return { field: 'to_port', reason: wrongRange(toPort) };
  const one = 'leads from one port to one; write a policy for each port, not';
  if (from.first < from.last) return { field: 'port', reason: `${one} ${quote(String(port))}` };
  if (to.first < to.last) return { field: 'to_port', reason: `${one} ${quote(String(toPort))}` };
  return { port: from.first, toPort: to.first };
}

/** Undefined: it is no range of ports. */
function rangeOf(port: PolicyFields['port']): Range | undefined {
  const [first = Number.NaN, last = first] = String(port).split('-').map(Number);
  return first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined;
}

const wrongRange = (port: PolicyFields['port']): string =>
  `expected a port from 1 to 65535, or a range as "8000-8010", got ${JSON.stringify(port)}`;

const rejected = (origin: Origin, field: string | undefined, reason: string): ReadEntry<never> =>
  rejectedFor(origin, [[field, reason]]);
