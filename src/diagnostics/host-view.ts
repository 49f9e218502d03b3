/**
 * What is known of the host's rules, and the same as plain data: for status, ports, forwards and lint.
 */
import type { Problem } from '../common/problem.ts';
import { atText } from '../features/host/canonical.ts';
import type { Guard, HostRuleSet, Opening, Permit, ProxiedPort } from '../features/host/model.ts';
import { overridesOf, type PersistedPorts } from '../features/host/port-overrides.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { HostState } from '../features/host/states.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { Transport } from '../inventory/network.ts';
import type { Passage, Passages } from '../inventory/passages.ts';
import { contains, formatPrefix, type Prefix } from '../net/address.ts';
import { formatRange } from '../net/ranges.ts';
import type { Rendered } from '../rendering/fingerprint.ts';
import type { NetworksView } from './networks-view.ts';

export interface HostView {
  readonly state: HostState;
  /** Undefined: no port is guarded. */
  readonly guard: Guard | undefined;
  /** The text of the rules; undefined as they are. */
  readonly rendered: Rendered | undefined;
  /** Undefined until all that they depend on is known. */
  readonly rules: HostRuleSet | undefined;
  readonly problems: readonly Problem[];
  /** Of the loaded rules. */
  readonly fingerprint: string | undefined;
  /** When they were loaded or last verified, in ms since the epoch. */
  readonly verifiedAt: number | undefined;
  readonly lastError: string | undefined;
  readonly byHand: PersistedPorts;
  /** Through other firewalls; undefined while none are needed, or they were not looked at yet. */
  readonly passages: Passages | undefined;
  /** Why sources of the rules cannot be read now. */
  readonly unread: readonly string[];
  /** Those that run. */
  readonly containers: readonly Container[];
  /** Containers whose ports are open to the callers alone that they name, with a text for these. */
  readonly limited?: ReadonlyMap<ContainerId, string>;
  /** Why nothing else is known: no controller answers. */
  readonly unknown?: string | undefined;
  /** Undefined without the file. */
  readonly networks?: NetworksView | undefined;
}

/** The view where no rules of the host are wanted. */
export const HOST_OFF: HostView = {
  ...{ state: 'off', guard: undefined, rules: undefined, rendered: undefined, problems: [] },
  fingerprint: undefined,
  ...{ verifiedAt: undefined, lastError: undefined, byHand: new Map(), unread: [], containers: [] },
  passages: undefined,
};

export interface HostAnswer {
  readonly state: HostState;
  readonly guard?: GuardAnswer | undefined;
  readonly bridges: readonly BridgeAnswer[];
  readonly openings: readonly OpeningAnswer[];
  /** Published ports of guarded containers that nobody may call. */
  readonly closed: readonly ClosedPort[];
  readonly forwards: readonly ForwardAnswer[];
  /** Who may reach whom between networks. */
  readonly permits: readonly PermitAnswer[];
  readonly byHand: readonly ByHandAnswer[];
  /** Why sources of the rules cannot be read now. */
  readonly unread: readonly string[];
  /** Rules in other firewalls that let pass what is forwarded; absent while none are needed. */
  readonly passages?: readonly Passage[] | undefined;
  readonly problems: readonly Problem[];
  readonly fingerprint?: string | undefined;
  readonly verifiedAt?: number | undefined;
  readonly lastError?: string | undefined;
}

export interface GuardAnswer {
  readonly mode: Guard['mode'];
  readonly families: readonly (4 | 6)[];
  /** Whether callers on another bridge need an opening too. */
  readonly between: boolean;
}

export interface BridgeAnswer {
  readonly name: string;
  readonly subnets: readonly string[];
  readonly guarded: boolean;
}

interface PortAnswer {
  readonly protocol: Transport;
  readonly port: number;
}

export interface OpeningAnswer extends PortAnswer {
  /** Absent where none runs at this address. */
  readonly container?: string | undefined;
  readonly address: string;
  /** Prefixes; `anyone`: all callers. */
  readonly from: 'anyone' | readonly string[];
  readonly origin: string;
}

export interface ClosedPort extends PortAnswer {
  readonly container: string;
  /** The address of this host, and the port of the container that it leads to. */
  readonly at: string;
  readonly containerPort: number;
}

export interface ForwardAnswer extends PortAnswer {
  readonly at: string;
  readonly to: string;
  readonly toPort: number;
  readonly container?: string | undefined;
  readonly origin: string;
}

export interface PermitAnswer {
  readonly from: string;
  readonly to: string;
  readonly protocol: Transport;
  /** `80`, `80-90`. */
  readonly ports: string;
  readonly origin: string;
}

export interface ByHandAnswer extends PortAnswer {
  readonly container: string;
  readonly kind: 'open' | 'close';
  readonly from: 'anyone' | readonly string[];
  /** In ms since the epoch. */
  readonly since: number;
}

export function hostAnswer(view: HostView): HostAnswer {
  const { state, guard, rules, problems, fingerprint, verifiedAt, lastError, unread } = view;
  const nameAt = containerNames(view.containers);
  return {
    state,
    ...(guard && { guard: guardAnswer(guard) }),
    bridges: (rules?.bridges ?? []).map(({ name, subnets, isGuarded }) => ({
      ...{ name, subnets: subnets.map(formatPrefix), guarded: isGuarded },
    })),
    openings: openingAnswers(guardedOpenings(view), view),
    closed: closedPorts(view),
    forwards: (rules?.forwards ?? []).map(({ at, protocol, port, to, toPort, origin }) => ({
      ...{ at: atText(at), protocol, port, to: formatPrefix(to), toPort },
      ...{ container: origin.container ?? nameAt(to), origin: origin.text },
    })),
    permits: (rules?.permits ?? []).map(permitAnswer),
    byHand: byHandOf(view),
    passages: view.passages?.passages,
    ...{ unread, problems, fingerprint, verifiedAt, lastError },
  };
}

const permitAnswer = ({ from, to, protocol, range, origin }: Permit): PermitAnswer => ({
  ...{ from: formatPrefix(from), to: formatPrefix(to), protocol, ports: formatRange(range) },
  origin: origin.text,
});

export function openingAnswers(
  openings: readonly Opening[],
  { containers }: HostView,
): readonly OpeningAnswer[] {
  const nameAt = containerNames(containers);
  return openings.map(({ to, protocol, port, from, origin }) => ({
    ...{ container: nameAt(to), address: formatPrefix(to), protocol, port },
    ...{ from: fromText(from), origin: origin.text },
  }));
}

/** The host's rules in a few numbers, for status and metrics. */
export interface HostSummary extends Pick<HostAnswer, 'state' | 'guard' | 'problems' | 'passages'> {
  readonly openings: number;
  /** Published ports of guarded containers that nobody may call. */
  readonly closed: number;
  readonly forwards: number;
  /** Who may reach whom between networks. */
  readonly permits: number;
  readonly fingerprint?: string | undefined;
  readonly verifiedAt?: number | undefined;
  readonly lastError?: string | undefined;
}

export function hostSummary(view: HostView): HostSummary {
  const { state, guard, rules, problems, fingerprint, verifiedAt, lastError } = view;
  const isClosed = ({ at, from }: ProxiedPort) => from === 'nobody' && guard?.families.includes(at.family);
  return {
    ...{ state, problems, fingerprint, verifiedAt, lastError },
    ...(view.passages && { passages: view.passages.passages }),
    ...(guard && { guard: guardAnswer(guard) }),
    openings: guardedOpenings(view).length,
    closed: (rules?.proxied ?? []).filter(isClosed).length,
    forwards: rules?.forwards.length ?? 0,
    permits: rules?.permits.length ?? 0,
  };
}

export const guardAnswer = ({ mode, families, isBetween }: Guard): GuardAnswer => ({
  ...{ mode, families, between: isBetween },
});

/** Published ports of guarded containers that the guard closes, in the families that it guards. */
export function closedPorts({ guard, rules, containers }: HostView): readonly ClosedPort[] {
  if (guard === undefined || rules === undefined) return [];
  const closed = new Set(rules.proxied.filter(({ from }) => from === 'nobody').map(hostPortKey));
  return containers.flatMap((container) =>
    container.ports
      .filter(({ host }) => guard.families.includes(host.family))
      .map(({ host, hostPort, protocol, containerPort }) => ({
        ...{ at: host, protocol, port: hostPort, container: container.name, containerPort },
      }))
      .filter((one) => closed.has(hostPortKey(one)))
      .map((one) => ({ ...one, at: formatPrefix(one.at) })),
  );
}

const hostPortKey = ({ at, protocol, port }: { readonly at: Prefix } & PortAnswer): string =>
  `${formatPrefix(at)} ${protocol} ${port}`;

/** In the families that are guarded: in another one everything is open. */
const guardedOpenings = ({ guard, rules }: HostView): readonly Opening[] =>
  (rules?.openings ?? []).filter(({ to }) => guard?.families.includes(to.family));

const byHandOf = ({ containers, byHand }: HostView): readonly ByHandAnswer[] =>
  containers.flatMap((container) =>
    overridesOf(container, byHand).map(({ protocol, port, kind, from, since }) => ({
      ...{ container: container.name, protocol, port, kind, from: fromText(from), since },
    })),
  );

const fromText = (from: readonly Prefix[] | 'anyone'): 'anyone' | readonly string[] =>
  from === 'anyone' ? from : from.map(formatPrefix);

/** The name of the container that has an address. */
export function containerNames(containers: readonly Container[]): (address: Prefix) => string | undefined {
  const names = new Map(
    containers.flatMap((container) =>
      addressesOf(container).map((address) => [formatPrefix(address), container.name] as const),
    ),
  );
  return (address) => names.get(formatPrefix(address));
}

/** The bridge in whose subnets an address is. */
export const bridgeOf = (address: Prefix, { bridges }: HostRuleSet) =>
  bridges.find(({ subnets }) => subnets.some((subnet) => contains(subnet, address)));
