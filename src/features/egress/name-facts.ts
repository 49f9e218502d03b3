/**
 * What the text of one namespace needs to know of the proxy there, and the granted addresses that it takes over.
 *
 * The secret of the namespace is in these variables, and in the kernel. It must not get into a log, the API or `status`.
 */
import type { Prefix } from '../../net/address.ts';
import { shortDigest } from '../../rendering/fingerprint.ts';
import { egressMark } from '../../rendering/flow-marks.ts';

export interface NameFacts {
  /**
   * 32 hex digits, at the start of each datagram that grants. Another secret ends the flows that were admitted by name,
   * except those to addresses that are still granted, or kept: so it changes when a name goes.
   */
  readonly secret: string;
  /** The proxy's, for UDP and TCP. */
  readonly port: number;
  /** The socket that asks Docker's resolver; undefined: nothing may ask it. */
  readonly docker?: DockerSocket | undefined;
}

export interface DockerSocket {
  readonly port: number;
  /**
   * The cgroup (v2) that the socket belongs to: only by that it differs from a workload that sends from the same port.
   * The path is relative to the mount point of all cgroups, the level is its number of parts below the root.
   */
  readonly cgroup: { readonly path: string; readonly level: number };
}

/** A granted address, for the text that replaces the one where it was granted. */
export interface HeldAddress {
  /** The number of its port class. */
  readonly number: number;
  readonly address: Prefix;
  /** From now. */
  readonly seconds: number;
}

export interface HeldAddresses {
  readonly granted: readonly HeldAddress[];
  /** No longer granted, but flows that were admitted to them before may go on. */
  readonly kept: readonly Omit<HeldAddress, 'seconds'>[];
}

export const NOTHING_HELD: HeldAddresses = { granted: [], kept: [] };

/** The words of the facts' digest. */
export const nameWords = ({ secret, port, docker }: NameFacts): readonly unknown[] => [
  ...[secret, port],
  ...(docker === undefined ? [] : [docker.port, docker.cgroup.path, docker.cgroup.level]),
];

/** The lines in front of a text, for the variables that it has. */
export function nameVariables(
  text: string,
  { secret, port, docker }: NameFacts,
  held: HeldAddresses,
): readonly string[] {
  return [
    `define seal = 0x${secret}`,
    `define dnsport = ${port}`,
    `define dockerport = ${docker?.port ?? 0}`,
    `define named = ${markOf(secret)}`,
    ...heldVariables(text, held),
  ];
}

/**
 * Puts in the match of packets from the socket that asks Docker's resolver, and that of packets to a socket of ours. They are
 * no variables of nft, because those are values. A path that nft would not take as it is counts as none: then nothing may ask
 * that resolver, and each socket may be ours.
 */
export const withSockets = (text: string, { docker }: NameFacts): string => {
  const match = docker && cgroupMatch(docker);
  return text
    .replaceAll('$dockersocket', match === undefined ? 'udp sport 0' : `udp sport ${docker?.port} ${match}`)
    .replaceAll('$oursocket', match ?? 'meta l4proto udp');
};

const cgroupMatch = ({ cgroup: { path, level } }: DockerSocket): string | undefined =>
  /^[\w./@:-]+$/.test(path) ? `socket cgroupv2 level ${level} "${path}"` : undefined;

/** The mark of flows that were admitted by name. It follows from the secret, and tells nothing of it. */
const markOf = (secret: string): string => egressMark(shortDigest(`mark ${secret}`).slice('0x'.length));

/** An address that no packet has: an empty list is a syntax error in nft. */
const NOBODY = 0n;

/** Addresses are numbers there: the sets have the type of bytes in a datagram. */
const hex = (address: bigint): string => `0x${address.toString(16)}`;

function heldVariables(text: string, { granted, kept }: HeldAddresses): readonly string[] {
  const byVariable = Map.groupBy(
    [
      ...granted.map((one) => ({ ...one, kind: 'held', after: ` timeout ${one.seconds}s` })),
      ...kept.map((one) => ({ ...one, kind: 'kept', after: '' })),
    ],
    ({ kind, address: { family }, number }) => `${kind}${family}_${number}`,
  );
  return variablesIn(text).map(({ name, kind }) => {
    const found = byVariable.get(name) ?? [];
    const elements = found.map(({ address, after }) => `${hex(address.address)}${after}`);
    const nobody = `${hex(NOBODY)}${kind === 'held' ? ' timeout 1s' : ''}`;
    return `define ${name} = { ${[nobody, ...new Set(elements)].join(', ')} }`;
  });
}

/** `$held4_443`, `$kept6_443`: each once. */
const variablesIn = (text: string): readonly { readonly name: string; readonly kind: string }[] => {
  const names = new Set(Array.from(text.matchAll(/\$((?:held|kept)[46]_\d+)\b/g), ([, name = '']) => name));
  return [...names].map((name) => ({ name, kind: name.slice(0, 4) }));
};
