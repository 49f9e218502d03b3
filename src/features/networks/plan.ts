/**
 * From the file and what is there to what is to be there. Pure: the same file and inventory have the same plan.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import type { Namespaces } from '../../inventory/namespace.ts';
import type { Networks } from '../../inventory/network.ts';
import { contains, type Family, type Prefix } from '../../net/address.ts';
import { planAttachments } from './attachments.ts';
import { inOrder } from './check.ts';
import { consistentFile } from './consistency.ts';
import { type HostRoute, planNetworks } from './docker-networks.ts';
import { planInner } from './inner-rules.ts';
import type { DesiredNetworks, HostForward, Permit } from './model.ts';
import { problemAt } from './problems.ts';
import type { ReadNetworks } from './read.ts';
import { resolvePolicies } from './resolve.ts';

export interface Surroundings {
  /** Those that run. */
  readonly containers: Iterable<Container>;
  readonly namespaces: Namespaces;
  readonly networks: Networks;
  /** But for the default ones; undefined: not known. */
  readonly routes: readonly HostRoute[] | undefined;
  /** Devices of this host; undefined: not known. */
  readonly devices: ReadonlySet<string> | undefined;
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
  const { missing, problems: ofNetworks } = planNetworks(file.networks, ofDocker, around.routes);
  const {
    attachments,
    problems: ofAddresses,
    taken,
  } = planAttachments(file.addresses, {
    ...{ containers, ofDocker, missing },
  });
  const { resolved, problems: ofPolicies } = resolvePolicies(file, ofDocker);
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
    { ...around, containers },
  );
  const all = [...allowed, ...permits];
  return {
    desired: {
      ...{ networks: missing, attachments, hostForwards, inner, permits: all },
      forwarding: familiesOf(all, hostForwards),
    },
    problems: inOrder([
      ...[ofFile, contradictions, ofNetworks, ofAddresses, ofPolicies, ofInner].flat(),
      ...hostForwards.flatMap((one) => missingDevice(one, around.devices)),
    ]),
  };
}

const familiesOf = (permits: readonly Permit[], forwards: readonly HostForward[]): readonly Family[] =>
  [...new Set([...permits, ...forwards].map(({ to }) => to.family))].sort();

/** The device may come later, as that of a tunnel. */
function missingDevice(
  { device, origin }: HostForward,
  devices: ReadonlySet<string> | undefined,
): readonly Problem[] {
  if (devices === undefined || devices.has(device)) return [];
  const reason = `this host has no device ${quote(device)}; if a container has it, write "where": "container"`;
  return [problemAt('warning', origin, 'iface', reason)];
}
