/**
 * From the file and what is there to what is to be there. Pure: the same file and inventory have the same plan.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import type { HostFacts } from '../../inventory/host-facts.ts';
import type { Namespaces } from '../../inventory/namespace.ts';
import type { Networks } from '../../inventory/network.ts';
import { contains, type Family, type Prefix } from '../../net/address.ts';
import { planAttachments } from './attachments.ts';
import { consistentFile } from './consistency.ts';
import { planNetworks } from './docker-networks.ts';
import { planInner } from './inner-rules.ts';
import type { DesiredNetworks, HostForward, Permit } from './model.ts';
import { inOrder, problemAt } from './problems.ts';
import type { ReadNetworks } from './read.ts';
import { resolvePolicies } from './resolve.ts';

export interface Surroundings {
  /** Those that run. */
  readonly containers: Iterable<Container>;
  readonly namespaces: Namespaces;
  readonly networks: Networks;
  /** Undefined: not known. */
  readonly host: HostFacts | undefined;
}

export interface NetworksPlan {
  readonly desired: DesiredNetworks;
  /** In the order of the file. */
  readonly problems: readonly Problem[];
}

export function planOf({ file: read, problems: ofFile }: ReadNetworks, around: Surroundings): NetworksPlan {
  const containers = [...around.containers].filter(({ running }) => running);
  const ofDocker = [...around.networks.values()];
  const { file, problems: contradictions } = consistentFile(read);
  const {
    missing,
    problems: ofNetworks,
    taken: subnets,
  } = planNetworks(file.networks, ofDocker, around.host?.routes);
  const {
    attachments,
    problems: ofAddresses,
    taken: addresses,
  } = planAttachments(file.addresses, {
    ...{ containers, ofDocker, networks: file.networks, missing },
  });
  const { resolved, problems: ofPolicies } = resolvePolicies(file, ofDocker);
  const taken = [...subnets, ...addresses];
  const isFree = (address: Prefix) => !taken.some((one) => contains(address, one) && contains(one, address));
  const allowed = resolved.permits.filter(({ from, to }) => isFree(from) && isFree(to));
  const hostForwards = resolved.hostForwards.filter(({ to }) => isFree(to));
  const {
    inner,
    permits,
    problems: ofInner,
  } = planInner(
    resolved.containerForwards.filter(({ to }) => isFree(to)),
    allowed,
    { ...around, containers, attachments },
  );
  const all = [...allowed, ...permits];
  return {
    desired: {
      ...{ networks: missing, attachments, hostForwards, inner, permits: all },
      forwarding: missingFamilies(all, hostForwards, around.host),
    },
    problems: inOrder([
      ...[ofFile, contradictions, ofNetworks, ofAddresses, ofPolicies, ofInner].flat(),
      ...hostForwards.flatMap((one) => missingDevice(one, around.host?.devices)),
      ...withoutForwarding6(all, around.host),
    ]),
  };
}

const missingFamilies = (
  permits: readonly Permit[],
  forwards: readonly HostForward[],
  host: HostFacts | undefined,
): readonly Family[] =>
  [...new Set([...permits, ...forwards].map(({ to }) => to.family))]
    .filter((family) => host?.forwards.includes(family) === false)
    .sort();

/** The device may come later, as that of a tunnel. */
function missingDevice(
  { device, origin }: HostForward,
  devices: ReadonlySet<string> | undefined,
): readonly Problem[] {
  if (devices === undefined || devices.has(device)) return [];
  const reason = `this host has no device ${quote(device)}; if a container has it, write "where": "container"`;
  return [problemAt('warning', origin, 'iface', reason)];
}

/** Turning it on changes how a host gets its own addresses, so the operator decides. */
function withoutForwarding6(permits: readonly Permit[], host: HostFacts | undefined): readonly Problem[] {
  const first = permits.find(({ to }) => to.family === 6);
  if (first === undefined || host === undefined || host.forwards.includes(6)) return [];
  const reason =
    'this host does not forward IPv6; run `sysctl -w net.ipv6.conf.all.forwarding=1`, and set accept_ra=2 on a device that gets its address by router advertisements';
  return [problemAt('warning', first.origin, undefined, reason)];
}
