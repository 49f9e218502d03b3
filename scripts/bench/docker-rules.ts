/**
 * What the Engine loads by iptables for published ports of a container on the bridge `br-a`, in the shape of Engine 28.5:
 * the floor of forwards.
 */
import { ensureCommands } from '../../lab/apt.ts';
import type { Namespace } from '../../lab/netns.ts';

export interface Published {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** `address`: of the container. `kind`: on top of nf_tables, or the kernel's own tables. */
export async function loadDockerRules(
  host: Namespace,
  kind: 'nft' | 'legacy',
  address: string,
  ports: readonly Published[],
): Promise<void> {
  await ensureCommands({ iptables: 'iptables' });
  await host.run(`iptables-${kind}-restore`, [], { input: dockerRules(address, ports), timeout: 120_000 });
}

const dockerRules = (address: string, ports: readonly Published[]): string => `*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.29.1.0/24 ! -o br-a -j MASQUERADE
${lines(ports, ({ protocol, port }) => `-A DOCKER ! -i br-a -p ${protocol} -m ${protocol} --dport ${port} -j DNAT --to-destination ${address}:${port}`)}
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i br-a -j ACCEPT
-A DOCKER-CT -o br-a -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i br-a ! -o br-a -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o br-a -j DROP
-A DOCKER-BRIDGE -o br-a -j DOCKER
${lines(ports, ({ protocol, port }) => `-A DOCKER -d ${address}/32 ! -i br-a -o br-a -p ${protocol} -m ${protocol} --dport ${port} -j ACCEPT`)}
-A DOCKER ! -i br-a -o br-a -j DROP
COMMIT
`;

const lines = (ports: readonly Published[], line: (port: Published) => string): string =>
  ports.map(line).join('\n');
