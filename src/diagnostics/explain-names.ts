/**
 * Explains whether a container reaches a name, by which rules, and which addresses it has for it now.
 */
import { formatName, type Name } from '../dns/name.ts';
import type { DenialCause, DeniedName, GrantedName, NamesReport } from '../features/names/name-report.ts';
import type { DnsPolicy } from '../inventory/workload.ts';
import { formatPrefix } from '../net/address.ts';
import { covers } from '../net/ranges.ts';
import { grantedKeys } from '../policy/compile.ts';
import { type NameLine, nameLines } from '../policy/compile-names.ts';
import { parseTraffic } from '../policy/traffic.ts';
import type { Destination } from './destination.ts';
import { type LineAnswer, plainLine } from './line-answer.ts';
import { allowsPort, indexNameLines } from './name-lines.ts';
import type { PolicyView } from './policy-view.ts';

/** A name and a port, as `explain` was asked. */
export interface AskedName {
  readonly name: Name;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export type NameHint =
  /** Rules by name grant nothing to this container. */
  | { readonly kind: 'no-names'; readonly reason: string }
  /** It has asked for the name, and was not answered. */
  | ({ readonly kind: 'asked' } & AskedInVain)
  /** A granted line names it, with other ports. */
  | ({ readonly kind: 'other-ports' } & LineAnswer)
  /** A key that is not granted allows it; `rules`: how many it has. */
  | ({ readonly kind: 'grant-name'; readonly rules: number } & LineAnswer)
  | { readonly kind: 'unknown-key'; readonly key: string }
  | { readonly kind: 'write'; readonly rule: string };

export interface AskedInVain {
  readonly cause: DenialCause;
  readonly reason?: string | undefined;
  readonly count: number;
  readonly lastSeenAt: number;
}

export type NameCause =
  /** The lines that allow it, at least one, and the addresses that are granted now. */
  | {
      readonly because: 'names';
      readonly lines: readonly LineAnswer[];
      readonly granted: readonly GrantedName[];
      /** If no address is granted, and it was asked in vain. */
      readonly asked?: AskedInVain | undefined;
    }
  | { readonly because: 'nothing'; readonly hints: readonly NameHint[] };

export type NameExplanation = NameCause & {
  readonly destination: string;
  readonly allowed: boolean;
  readonly passes: boolean;
};

export const explainName = (view: PolicyView, asked: AskedName): NameExplanation => {
  const { name, protocol, port } = asked;
  const destination = `${formatName(name)} ${protocol}/${port}`;
  const about = indexNameLines(nameLines(grantedKeys(view.grants, view.acl)))(name);
  const allowing = about.filter(({ rule }) => allowsPort(rule, asked));
  const reason = whyNoNames(view);
  const allowed = allowing.length > 0 && reason === undefined;
  const passes = allowed || view.mode === 'audit';
  if (!allowed)
    return { destination, allowed, passes, because: 'nothing', hints: hintsFor(view, asked, about) };
  const granted = grantsOf(view.names, name).filter((one) => hasPort(one, asked));
  const lines = allowing.map(plain);
  return { destination, allowed, passes, because: 'names', lines, ...addressesOf(view.names, name, granted) };
};

/** The addresses of a name; if there are none, why it was asked in vain. */
const addressesOf = (
  names: NamesReport | undefined,
  name: Name,
  granted: readonly GrantedName[],
): { readonly granted: readonly GrantedName[]; readonly asked?: AskedInVain } => {
  const inVain = granted.length === 0 ? deniedOf(names, name) : undefined;
  // A rule has come since.
  if (inVain?.cause === 'name') return { granted };
  return { granted, ...(inVain !== undefined && { asked: askedInVain(inVain) }) };
};

/** The lines about a name, for whatever ports, and its addresses. */
export const linesAbout = (
  view: PolicyView,
  name: Name,
): {
  readonly name: string;
  readonly lines: readonly LineAnswer[];
  readonly granted: readonly GrantedName[];
  readonly asked?: AskedInVain;
  readonly noNames: string | undefined;
} => ({
  name: formatName(name),
  noNames: whyNoNames(view),
  lines: indexNameLines(nameLines(grantedKeys(view.grants, view.acl)))(name).map(plain),
  ...addressesOf(view.names, name, grantsOf(view.names, name)),
});

/** The names by which an address and a port are granted now. */
export const grantsAt = (
  { dns, names }: Pick<PolicyView, 'dns' | 'names'>,
  destination: Destination,
): readonly GrantedName[] => {
  if (dns !== 'names') return [];
  const address = formatPrefix(destination.host);
  return (names?.grants ?? []).filter((one) => one.address === address && hasPort(one, destination));
};

/** Why it is not known here whether a name leads to a destination; undefined if that is known, or no rule has its port. */
export const whyNotKnown = (view: PolicyView, { protocol, port }: Destination): string | undefined => {
  if (view.hasController !== false || protocol === 'icmp' || port === undefined) return undefined;
  const lines = nameLines(grantedKeys(view.grants, view.acl));
  return lines.some(({ rule }) => allowsPort(rule, { protocol, port })) ? whyNoNames(view) : undefined;
};

/** Why rules by name grant nothing to a container; undefined if they do, as far as known. */
export const whyNoNames = ({ dns, denylist, names, hasController }: PolicyView): string | undefined => {
  if (denylist === true) return 'the template denylist has no rules by name';
  if (hasController === false)
    return 'no controller runs here, which answers names; addresses that one has granted stay until their time is over';
  if (dns !== 'names') return WITHOUT_NAMES[dns];
  return names?.state === 'unavailable' ? names.reasons.join('; ') : undefined;
};

const WITHOUT_NAMES: Readonly<Record<Exclude<DnsPolicy, 'names'>, string>> = {
  resolvers: 'it asks resolvers of its own; egresstrator status tells why',
  none: 'it has no DNS; egresstrator status tells why',
};

const plain = ({ key, line }: NameLine): LineAnswer => plainLine(key, line);

const grantsOf = (names: NamesReport | undefined, name: Name): readonly GrantedName[] => {
  const text = formatName(name);
  return (names?.grants ?? []).filter((one) => one.name === text);
};

const hasPort = (
  { ports }: GrantedName,
  { protocol, port }: Pick<Destination, 'protocol' | 'port'>,
): boolean => {
  const traffic = parseTraffic(ports, 6);
  return (
    'ranges' in traffic &&
    traffic.protocol === protocol &&
    covers(traffic.ranges, { first: port, last: port })
  );
};

const hintsFor = (view: PolicyView, asked: AskedName, about: readonly NameLine[]): readonly NameHint[] => {
  const { grants, acl, names } = view;
  const text = formatName(asked.name);
  const reason = about.length > 0 ? whyNoNames(view) : undefined;
  const inVain = deniedOf(names, asked.name);
  const others = [...acl.values()].filter(({ key }) => !grants.includes(key));
  const granting = indexNameLines(nameLines(others))(asked.name).filter(({ rule }) =>
    allowsPort(rule, asked),
  );
  const hints: readonly (readonly NameHint[])[] = [
    reason === undefined ? [] : [{ kind: 'no-names', reason }],
    inVain === undefined ? [] : [{ kind: 'asked', ...askedInVain(inVain) }],
    about
      .filter(({ rule }) => !allowsPort(rule, asked))
      .map((line) => ({ kind: 'other-ports', ...plain(line) })),
    granting.map((line) => ({
      ...{ kind: 'grant-name', ...plain(line) },
      rules: acl.get(line.key)?.rules.length ?? 0,
    })),
    grants.filter((key) => !acl.has(key)).map((key) => ({ kind: 'unknown-key', key })),
    reason === undefined ? [{ kind: 'write', rule: `${text}:${asked.protocol}/${asked.port}` }] : [],
  ];
  return hints.flat();
};

const deniedOf = (names: NamesReport | undefined, name: Name): DeniedName | undefined => {
  const text = formatName(name);
  return names?.denied.find((one) => one.name === text && one.cause !== 'type');
};

const askedInVain = ({ cause, reason, count, lastSeenAt }: DeniedName): AskedInVain => ({
  ...{ cause, count, lastSeenAt },
  ...(reason !== undefined && { reason }),
});
