/** Networks, containers and published ports of a host, from a few words. */
import type { Container } from '../../src/inventory/container.ts';
import type { Network, PortBinding } from '../../src/inventory/network.ts';
import { container } from './containers.ts';
import { prefix } from './host-claims.ts';

export const network = (
  name: string,
  subnets: readonly string[],
  traits: Partial<Network> = {},
): Network => ({
  ...{ id: name, name, driver: 'bridge', isInternal: false, bridge: `br-${name}`, options: {} },
  subnets: subnets.map((text) => ({ prefix: prefix(text), gateway: undefined })),
  ...traits,
});

export const networks = (...all: readonly Network[]) => new Map(all.map((one) => [one.id, one]));

export const FRONT = network('front', ['172.18.0.0/16', 'fd00:18::/64']);
export const BACK = network('back', ['172.19.0.0/16'], { isInternal: true });
export const NETWORKS = networks(FRONT, BACK);

export const end = (name: string, ipv4?: string, ipv6?: string) => ({
  ...{ id: name, name, endpoint: `e-${name}` },
  ...{
    ipv4: ipv4 === undefined ? undefined : prefix(ipv4),
    ipv6: ipv6 === undefined ? undefined : prefix(ipv6),
  },
});

export const port = (
  host: string,
  hostPort: number,
  containerPort: number,
  protocol: PortBinding['protocol'] = 'tcp',
) => ({
  ...{ host: prefix(host), hostPort, containerPort, protocol },
});

export const web = (traits: Partial<Container> = {}): Container =>
  container('web', { networks: [end('front', '172.18.0.2', 'fd00:18::2')], ports: [], ...traits });
