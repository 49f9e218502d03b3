/**
 * The Engine's bridges on this host, from its networks.
 */
import type { Problem } from '../../common/problem.ts';
import type { Network, Networks } from '../../inventory/network.ts';
import { contains, type Prefix, prefixOf } from '../../net/address.ts';
import type { Bridge } from './model.ts';

export interface BridgeOptions {
  /** The names of guarded devices; `all`: every bridge of the Engine. */
  readonly guarded: readonly string[] | 'all' | 'none';
  /** The Engine gives containers no way out by itself, so that we do. */
  readonly masquerades: boolean;
}

export const bridgesOf = (networks: Networks, options: BridgeOptions): readonly Bridge[] =>
  [...networks.values()].flatMap((network) => bridgeOf(network, options));

/** A name with other characters comes from an option of the network's maker; no rule can hold it. */
const IS_DEVICE = /^[A-Za-z0-9._-]{1,15}$/;

/** A bridge that is left out because of its name is reported: its ports are open. */
export const bridgeProblems = (networks: Networks, guarded: BridgeOptions['guarded']): readonly Problem[] => [
  ...[...networks.values()].flatMap(({ name, bridge }) =>
    bridge === undefined || IS_DEVICE.test(bridge) ? [] : [unnamed(name, bridge)],
  ),
  ...(typeof guarded === 'string' ? [] : guarded.filter((name) => !isThere(name, networks)).map(unknown)),
];

const isThere = (name: string, networks: Networks): boolean =>
  [...networks.values()].some(({ bridge }) => bridge === name);

const unknown = (bridge: string): Problem => ({
  severity: 'warning',
  text: bridge,
  reason: `--ports-bridges names ${bridge}, and no network of the Engine has that bridge, so nothing is guarded by that name; correct it, or make the network`,
});

const unnamed = (network: string, bridge: string): Problem => ({
  severity: 'error',
  text: network,
  reason: `no rule can hold the name of the bridge "${bridge}", so ports in the network ${network} are neither guarded nor forwarded; make it anew with letters, digits, ".", "_" and "-" in com.docker.network.bridge.name`,
});

function bridgeOf(network: Network, { guarded, masquerades }: BridgeOptions): readonly Bridge[] {
  const { bridge: name } = network;
  if (name === undefined || !IS_DEVICE.test(name)) return [];
  const subnets = network.subnets.map(({ prefix }) => prefix);
  const isMasqueraded = masquerades && !network.isInternal && isTranslated(network);
  return [
    {
      ...{ name, subnets },
      isGuarded: guarded === 'all' || (guarded !== 'none' && guarded.includes(name)),
      masqueraded: isMasqueraded ? subnets.filter(needsMasquerade) : [],
    },
  ];
}

/**
 * An Engine with `--iptables=false` turns this option of its own bridge off by itself, so there it says nothing of what
 * the operator wants.
 */
const isTranslated = ({ options }: Network): boolean =>
  options['com.docker.network.bridge.default_bridge'] === 'true' ||
  options['com.docker.network.bridge.enable_ip_masquerade'] !== 'false';

/** Global IPv6 addresses reach everything as they are. RFC 4193 has those that do not. */
const UNIQUE_LOCAL = prefixOf(6, 0xfcn << 120n, 7);

const needsMasquerade = (subnet: Prefix): boolean => subnet.family === 4 || contains(UNIQUE_LOCAL, subnet);
