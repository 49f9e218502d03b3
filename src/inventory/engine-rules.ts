/**
 * The rules that the Engine has made on its host, and whether they show that it makes rules now.
 *
 * An Engine that was restarted with `--iptables=false` leaves the chains of its earlier runs, with a jump to them, and
 * its info names a firewall all the same (20.10, 28.5). What it does not do is add to them: a network that was created
 * since, and a port that was published since, have no rule.
 */
import type { Container } from './container.ts';
import type { Network, Networks } from './network.ts';

export interface EngineRules {
  /** There are chains of the Engine's that packets come to. */
  readonly hasChains: boolean;
  /** The bridges that its rules name. */
  readonly devices: ReadonlySet<string>;
  /** The published ports that its rules forward, as `tcp 8080`. */
  readonly ports: ReadonlySet<string>;
}

/** What must have rules where the Engine makes any. */
export interface Witnesses {
  /** Each network with its bridge. */
  readonly networks: ReadonlyMap<string, string>;
  /** The container with published ports that was started last, as an id and a start. */
  readonly newest: string | undefined;
  /** Its ports, as `tcp 8080`. */
  readonly ports: readonly string[];
}

export function witnessesOf(containers: Iterable<Container>, networks: Networks): Witnesses {
  const bridged = [...networks.values()].filter(isRuled);
  const ids = new Set(bridged.filter(isTranslated).map(({ id }) => id));
  const [newest] = [...containers]
    .map((container) => ({ container, ports: portsOf(container, ids) }))
    .filter(({ ports }) => ports.length > 0)
    .sort((one, other) => (keyOf(one.container) < keyOf(other.container) ? 1 : -1));
  return {
    networks: new Map(bridged.map(({ id, bridge = '' }) => [id, bridge])),
    newest: newest && keyOf(newest.container),
    ports: newest?.ports ?? [],
  };
}

/** The witnesses without rules, by name. */
export const lacking = (rules: EngineRules, { networks, newest, ports }: Witnesses): readonly string[] => [
  ...[...networks].flatMap(([id, bridge]) => (rules.devices.has(bridge) ? [] : [id])),
  ...(newest === undefined || ports.every((port) => rules.ports.has(port)) ? [] : [newest]),
];

const isRuled = ({ bridge, isInternal }: Network): boolean => bridge !== undefined && !isInternal;

/** A routed network publishes no port of the host. */
const isTranslated = ({ options }: Network): boolean =>
  options['com.docker.network.bridge.gateway_mode_ipv4'] !== 'routed';

const keyOf = ({ id, startedAt }: Container): string => `${startedAt} ${id}`;

/** Those of IPv4: for IPv6 older Engines make no rules. */
function portsOf({ networks, ports }: Container, translated: ReadonlySet<string>): readonly string[] {
  if (!networks.some(({ id, ipv4 }) => ipv4 !== undefined && translated.has(id))) return [];
  return ports
    .filter(({ host }) => host.family === 4)
    .map(({ protocol, hostPort }) => `${protocol} ${hostPort}`);
}
