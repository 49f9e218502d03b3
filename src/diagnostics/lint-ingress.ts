/**
 * Finds what is wrong with ingress keys, and containers that cannot see who calls them.
 */
import type { Container } from '../inventory/container.ts';
import type { PortBinding } from '../inventory/network.ts';
import { formatPrefix } from '../net/address.ts';
import type { Finding } from './finding.ts';
import type { IngressSnapshot } from './ingress-snapshot.ts';
import { type LintContext, lint } from './lint.ts';

const INGRESS = 'ingress' as const;

export const lintIngress = (
  { acl, workloads, containers }: IngressSnapshot,
  { catalog, failures }: Pick<LintContext, 'catalog' | 'failures'>,
): readonly Finding[] => [
  ...lint({ acl, workloads, catalog, failures, protectedHosts: [], direction: INGRESS }).map((one) => ({
    ...one,
    direction: INGRESS,
  })),
  ...containers.flatMap(hiddenCallers),
];

/** Docker's proxy alone can carry calls by IPv6 to a container that has no IPv6. */
function hiddenCallers(container: Container): readonly Finding[] {
  if (container.networks.some(({ ipv6 }) => ipv6 !== undefined)) return [];
  const carried = container.ports.filter(({ host }) => host.family === 6);
  return carried.slice(0, 1).map((binding) => hiddenCaller(container.name, binding));
}

const hiddenCaller = (container: string, { protocol, hostPort, host }: PortBinding): Finding => ({
  ...{ severity: 'info', code: 'hidden-caller', container },
  reason: `calls by IPv6 to port ${protocol}/${hostPort} of this host (${formatPrefix(host)}) come by Docker's proxy: its ingress rules see the gateway of its bridge as the caller`,
  remedy:
    'give the network of the container IPv6, or publish the port at an IPv4 address alone; a rule that lets in the gateway lets in all of these callers',
});
