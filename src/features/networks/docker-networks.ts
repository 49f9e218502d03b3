/**
 * Networks of the file against those of Docker and the routes of this host: which are to be made. What Docker has
 * otherwise is left as it is.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { HostRoute } from '../../inventory/host-facts.ts';
import type { Network } from '../../inventory/network.ts';
import { comparePrefixes, formatPrefix, type Prefix } from '../../net/address.ts';
import { areNested } from './consistency.ts';
import type { NetworkEntry } from './model.ts';
import { bare } from './names.ts';
import { problemAt } from './problems.ts';

export interface PlannedNetworks {
  readonly missing: readonly NetworkEntry[];
  readonly problems: readonly Problem[];
  /** Subnets of the file that another network of Docker has. */
  readonly taken: readonly Prefix[];
}

/** `routes`: undefined if they are not known. */
export function planNetworks(
  entries: readonly NetworkEntry[],
  ofDocker: readonly Network[],
  routes: readonly HostRoute[] | undefined,
): PlannedNetworks {
  const missing: NetworkEntry[] = [];
  const problems: Problem[] = [];
  const taken: Prefix[] = [];
  for (const entry of entries) {
    const others = new Set(entries.flatMap(({ name }) => (name === entry.name ? [] : name)));
    const found = sameNetworks(
      entry,
      ofDocker.filter(({ name }) => !others.has(name)),
    );
    const problem =
      found.length === 0 ? overlapOf(entry, ofDocker, routes) : existingFault(entry, found, routes);
    if (problem !== undefined) problems.push(problem);
    else if (found.length === 0) missing.push(entry);
    const foreign = ofDocker.filter((one) => !found.includes(one)).flatMap(({ subnets }) => subnets);
    for (const { prefix } of entry.subnets)
      if (foreign.some((one) => areNested(one.prefix, prefix))) taken.push(prefix);
  }
  return { missing, problems, taken };
}

/** Those with exactly its name, or else with the same name but for `-` and `_`; none that is another entry's exactly. */
function sameNetworks(
  { name }: Pick<NetworkEntry, 'name'>,
  ofDocker: readonly Network[],
): readonly Network[] {
  const exact = ofDocker.filter((one) => one.name === name);
  return exact.length > 0 ? exact : ofDocker.filter((one) => bare(one.name) === bare(name));
}

function existingFault(
  entry: NetworkEntry,
  found: readonly Network[],
  routes: readonly HostRoute[] = [],
): Problem | undefined {
  const [network, other] = found;
  if (network === undefined) return undefined;
  if (other === undefined)
    return subnetFault(entry, network) ?? gatewayFault(entry, network) ?? routeFault(entry, network, routes);
  const names = [...new Set(found.map((one) => one.name))].join(' and ');
  const reason = `Docker has ${found.length} networks by this name (${names}); left as they are: remove all but one`;
  return problemAt('error', entry.origin, undefined, reason);
}

function subnetFault({ subnets, origin }: NetworkEntry, network: Network): Problem | undefined {
  const [is, wanted] = [textOf(prefixesOf(network)), textOf(prefixesOf({ subnets }))];
  if (is === wanted) return undefined;
  const reason = `Docker has this network with ${is || 'no subnet'}, not ${wanted}; left as it is`;
  return problemAt('error', origin, undefined, reason);
}

function gatewayFault({ subnets, origin }: NetworkEntry, network: Network): Problem | undefined {
  for (const { prefix, gateway } of subnets) {
    const present = network.subnets.find((one) => comparePrefixes(one.prefix, prefix) === 0)?.gateway;
    if (gateway === undefined || present === undefined || comparePrefixes(gateway, present) === 0) continue;
    const reason = `Docker has this network with the gateway ${formatPrefix(present)}, not ${formatPrefix(gateway)}; left as it is`;
    return problemAt('error', origin, 'gateway', reason);
  }
  return undefined;
}

/** Docker made it although this host reaches its addresses elsewhere. */
function routeFault(
  { name, subnets, origin }: NetworkEntry,
  network: Network,
  routes: readonly HostRoute[],
): Problem | undefined {
  const others = routes.filter(({ device }) => device !== network.bridge);
  const foreign = routeBeside(prefixesOf({ subnets }), others);
  if (foreign === undefined) return undefined;
  const reason = `Docker has the network ${quote(name)} with addresses that this host reaches by its device ${foreign.device} too (route ${formatPrefix(foreign.prefix)}); remove one of them`;
  return problemAt('warning', origin, 'subnet', reason);
}

const prefixesOf = ({ subnets }: Pick<Network, 'subnets'>): readonly Prefix[] =>
  subnets.map(({ prefix }) => prefix);

/** Why Docker cannot have it, or should not. */
function overlapOf(
  entry: NetworkEntry,
  ofDocker: readonly Network[],
  routes: readonly HostRoute[] = [],
): Problem | undefined {
  for (const { prefix } of entry.subnets) {
    const network = ofDocker.find((one) => one.subnets.some((subnet) => areNested(subnet.prefix, prefix)));
    if (network === undefined) continue;
    const reason = `${formatPrefix(prefix)} overlaps Docker's network ${quote(network.name)}; write another prefix, or remove that network`;
    return problemAt('error', entry.origin, 'subnet', reason);
  }
  return hiddenRoute(entry, routes);
}

/** Docker accepts a subnet that hides addresses which the host reaches elsewhere. */
export function hiddenRoute(
  { subnets, origin }: NetworkEntry,
  routes: readonly HostRoute[],
): Problem | undefined {
  for (const { prefix } of subnets) {
    const route = routeBeside([prefix], routes);
    if (route === undefined) continue;
    const reason = `${formatPrefix(prefix)} overlaps the route ${formatPrefix(route.prefix)} of this host's device ${route.device}, whose hosts could not be reached any more; write another prefix`;
    return problemAt('error', origin, 'subnet', reason);
  }
  return undefined;
}

const routeBeside = (subnets: readonly Prefix[], routes: readonly HostRoute[]): HostRoute | undefined =>
  routes.find(({ prefix }) => prefix.length > 0 && subnets.some((subnet) => areNested(subnet, prefix)));

const textOf = (prefixes: readonly Prefix[]): string =>
  prefixes.toSorted(comparePrefixes).map(formatPrefix).join(' and ');
