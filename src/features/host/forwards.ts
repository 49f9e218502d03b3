/**
 * What the Engine publishes, as forwards of this host: for an Engine that manages no firewall itself.
 */
import type { Container } from '../../inventory/container.ts';
import type { Attachment, Networks, PortBinding } from '../../inventory/network.ts';
import { contains, type Prefix, prefixOf } from '../../net/address.ts';
import type { Forward } from './model.ts';

export const publishedForwards = (containers: Iterable<Container>, networks: Networks): readonly Forward[] =>
  [...containers].flatMap((container) => {
    const ends = bridgedEnds(container, networks);
    return container.ports.flatMap((binding) => forwardOf(container, ends, binding));
  });

/**
 * The container's ends in networks that reach others, in the order in which the Engine uses them: answers take the
 * first one, and a host that checks sources (rp_filter) drops those that came by another.
 */
function bridgedEnds(container: Container, networks: Networks): readonly Attachment[] {
  return container.networks
    .filter(({ id }) => {
      const network = networks.get(id);
      return network?.bridge !== undefined && !network.isInternal;
    })
    .toSorted((one, other) => priorityOf(other) - priorityOf(one) || (one.name < other.name ? -1 : 1));
}

const priorityOf = ({ gatewayPriority = 0 }: Attachment): number => gatewayPriority;

/**
 * A port of loopback leads nowhere from outside, and calls from this host are answered by Docker's proxy. So is a
 * call by a family in which the container has no address.
 */
function forwardOf(
  container: Container,
  ends: readonly Attachment[],
  { protocol, containerPort, host, hostPort }: PortBinding,
): readonly Forward[] {
  const to = addressIn(ends, host.family);
  if (to === undefined || isLoopback(host)) return [];
  return [
    {
      at: host.length === 0 ? { kind: 'any' } : { kind: 'address', address: host },
      ...{ protocol, port: hostPort, to, toPort: containerPort },
      origin: {
        text: `the published port ${hostPort}:${containerPort}/${protocol} of ${container.name}`,
        since: container.startedAt,
        container: container.name,
      },
    },
  ];
}

const addressIn = (ends: readonly Attachment[], family: 4 | 6): Prefix | undefined =>
  ends.flatMap((end) => (family === 4 ? end.ipv4 : end.ipv6) ?? [])[0];

const LOOPBACK = [prefixOf(4, 0x7f000000n, 8), prefixOf(6, 1n, 128)];

export const isLoopback = (address: Prefix): boolean =>
  LOOPBACK.some((loopback) => contains(loopback, address));
