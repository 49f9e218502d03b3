/**
 * From the file and what is there to what is to be there. Pure: the same file and inventory have the same plan.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import type { HostFacts } from '../../inventory/host-facts.ts';
import type { Namespaces } from '../../inventory/namespace.ts';
import { isAttached, type Networks } from '../../inventory/network.ts';
import { contains, type Family, type Prefix } from '../../net/address.ts';
import { planAttachments } from './attachments.ts';
import { consistentFile } from './consistency.ts';
import { planNetworks } from './docker-networks.ts';
import { planInner } from './inner-rules.ts';
import type { DesiredNetworks, HostForward, Permit, ResolvedPolicies } from './model.ts';
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
  const { host } = around;
  const containers = [...around.containers]
    .filter(({ running }) => running)
    .map((one) => withAttached(one, around.networks));
  const ofDocker = [...around.networks.values()];
  const consistent = consistentFile(read);
  const { file } = consistent;
  const networks = planNetworks(file.networks, ofDocker, host?.routes);
  const addresses = planAttachments(file.addresses, {
    ...{ containers, ofDocker, networks: file.networks, missing: networks.missing },
  });
  const policies = resolvePolicies(file, ofDocker);
  const free = withoutTaken(policies.resolved, [...networks.taken, ...addresses.taken]);
  const { attachments } = addresses;
  const inner = planInner(free.containerForwards, free.permits, { ...around, containers, attachments });
  const permits = [...free.permits, ...inner.permits];
  const { hostForwards } = free;
  return {
    desired: {
      ...{ networks: networks.missing, attachments, hostForwards, inner: inner.inner, permits },
      forwarding: missingFamilies(permits, hostForwards, host),
    },
    problems: inOrder([
      ...ofFile,
      ...[consistent, networks, addresses, policies, inner].flatMap(({ problems }) => problems),
      ...hostForwards.flatMap((one) => missingDevice(one, host?.devices)),
      ...withoutForwarding6(permits, host),
    ]),
  };
}

/** Without the addresses that Docker lists although it could not attach the container. */
const withAttached = (container: Container, networks: Networks): Container => ({
  ...container,
  networks: container.networks.filter((end) => isAttached(end, networks.get(end.id))),
});

/** Addresses that others have count for nothing. */
function withoutTaken(resolved: ResolvedPolicies, taken: readonly Prefix[]): ResolvedPolicies {
  const isFree = (address: Prefix) => !taken.some((one) => contains(address, one) && contains(one, address));
  return {
    permits: resolved.permits.filter(({ from, to }) => isFree(from) && isFree(to)),
    hostForwards: resolved.hostForwards.filter(({ to }) => isFree(to)),
    containerForwards: resolved.containerForwards.filter(({ to }) => isFree(to)),
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
