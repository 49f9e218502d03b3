/**
 * What another file of networks would change: entries and what policies allow, by text.
 */
import { formatPrefix, type Prefix } from '../../net/address.ts';
import { formatRange } from '../../net/ranges.ts';
import type { CheckedNetworks } from './check.ts';
import type { ContainerForward, HostForward, NetworkEntry, Permit } from './model.ts';

export type DiffKind = 'network' | 'address' | 'permit' | 'forward';

/** One thing that a file says. */
export interface Statement {
  readonly kind: DiffKind;
  readonly text: string;
  /** Where it stands in its file, as `policies[1]`. */
  readonly path: string;
}

export interface NetworksDiff {
  readonly added: readonly Statement[];
  readonly removed: readonly Statement[];
}

export function diffNetworks(before: CheckedNetworks, after: CheckedNetworks): NetworksDiff {
  const [old, present] = [statementsOf(before), statementsOf(after)];
  return { added: missingIn(old, present), removed: missingIn(present, old) };
}

const missingIn = (all: readonly Statement[], wanted: readonly Statement[]): readonly Statement[] => {
  const known = new Set(all.map(({ text }) => text));
  return wanted.filter(({ text }) => !known.has(text));
};

const statementsOf = ({ file, resolved }: CheckedNetworks): readonly Statement[] => [
  ...file.networks.map(networkStatement),
  ...file.addresses.map(({ addresses, container, selector, service, origin }) => ({
    ...({ kind: 'address', path: origin.path } as const),
    text: `${container ?? selector ?? service} has ${addresses.map(formatPrefix).join(' and ')}`,
  })),
  ...resolved.permits.map(permitStatement),
  ...resolved.hostForwards.map((one) => forwardStatement(one, `${one.device} of this host`)),
  ...resolved.containerForwards.map((one) =>
    forwardStatement(one, `${one.device ?? 'every device'} of ${one.inside}`),
  ),
];

export const networkStatement = ({ name, subnets, origin }: NetworkEntry): Statement => ({
  ...({ kind: 'network', path: origin.path } as const),
  text: `network ${name} ${subnets.map(({ prefix, gateway }) => `${formatPrefix(prefix)}${gateway === undefined ? '' : ` gateway ${formatPrefix(gateway)}`}`).join(' and ')}`,
});

export const permitStatement = ({ from, to, protocol, range, origin }: Permit): Statement => ({
  ...({ kind: 'permit', path: origin.path } as const),
  text: `${formatPrefix(from)} may reach ${formatPrefix(to)} at ${protocol}/${formatRange(range)}`,
});

/** `where`: the device, and whose it is. */
export const forwardStatement = (one: HostForward | ContainerForward, where: string): Statement => ({
  ...({ kind: 'forward', path: one.origin.path } as const),
  text: `${where}: ${forwardText(one)}`,
});

const forwardText = ({ protocol, port, to, toPort }: HostForward | ContainerForward): string =>
  `${protocol}/${port} leads to ${endText(to)}:${toPort}`;

const endText = (to: Prefix): string => (to.family === 6 ? `[${formatPrefix(to)}]` : formatPrefix(to));
