/**
 * Explains whether a caller can reach a port of a container, by each way that leads there and each gate on it.
 *
 * Agrees with the chains of the template: a gate tells what the loaded rules do with the first packet of a call.
 */
import { UsageError } from '../common/errors.ts';
import { isLoopback } from '../features/host/forwards.ts';
import type { Guard, HostRuleSet, Opening } from '../features/host/model.ts';
import { isSamePort, overridesOf, type PortOverride } from '../features/host/port-overrides.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { Container } from '../inventory/container.ts';
import type { PortBinding, Transport } from '../inventory/network.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { contains, formatPrefix, type Prefix, parseAddress } from '../net/address.ts';
import { parseTraffic } from '../policy/traffic.ts';
import { bridgeOf, type HostView } from './host-view.ts';
import { HIDDEN_CALLER, ingressGate, ingressOf } from './ingress-gate.ts';
import { type LedAnswer, ledFrom, matchingPermits } from './networks-view.ts';

export interface ExplainInQuestion {
  readonly container: string;
  /** The caller's address. */
  readonly source: string;
  /** `tcp/80`: a port of the container; or `icmp/8`. */
  readonly traffic: string;
}

/**
 * - `passes`: the gate lets the call through. `denies`: it does not.
 * - `records`: it would deny the call, and only records it (--ports observe).
 * - `unknown`: nothing is known of it.
 */
export type GateOutcome = 'passes' | 'denies' | 'records' | 'unknown';

export interface GateAnswer {
  readonly gate: string;
  readonly outcome: GateOutcome;
  readonly reason: string;
}

/** One way on which the call can come. */
export interface WayAnswer {
  /** What the caller connects to: `172.18.0.2 tcp/80`. */
  readonly to: string;
  /** In the order in which a packet meets them. */
  readonly gates: readonly GateAnswer[];
  /** No gate that is known denies it. */
  readonly passes: boolean;
}

export interface ExplainInAnswer {
  readonly container: string;
  readonly source: string;
  readonly traffic: string;
  /** None: the container has no address in the caller's family, and no port of this host leads there. */
  readonly ways: readonly WayAnswer[];
  readonly passes: boolean;
}

interface Call {
  readonly container: Container;
  readonly source: Prefix;
  readonly protocol: Transport | 'icmp';
  /** The type where the protocol is icmp. */
  readonly port: number;
}

/** Throws a `UserError` if there is no such container, and a `UsageError` for another form of the question. */
export function explainIn(
  question: ExplainInQuestion,
  view: HostView,
  rules: HostRuleSet,
  ingress: readonly IngressView[] = [],
): ExplainInAnswer {
  const source = sourceOf(question.source);
  const container = pickContainer(new Map(view.containers.map((one) => [one.id, one])), question.container);
  const call = { container, source, ...trafficOf(question.traffic, source) };
  const callee = ingressOf(container.id, ingress);
  const ways = [
    ...directWays(call, view, rules).map(({ isLed, ...one }) =>
      // What is led elsewhere passes by the rules about this container's callers.
      withIngress(one, isLed ? undefined : seenAs(call, callee)),
    ),
    ...deviceWays(call, view, rules).map((one) => withIngress(one, seenAs(call, callee))),
    ...publishedWays(call, view, rules).map((one) => withIngress(one, publishedAs(call, one, callee, rules))),
  ];
  return {
    ...{ container: container.name, source: formatPrefix(source) },
    traffic: `${call.protocol}/${call.port}`,
    ...{ ways, passes: ways.some(({ passes }) => passes) },
  };
}

const withIngress = ({ to, gates }: WayAnswer, last: GateAnswer | undefined): WayAnswer =>
  way(to, last === undefined ? gates : [...gates, last]);

const seenAs = (call: Call, callee: IngressView | undefined): GateAnswer | undefined =>
  callee && ingressGate(callee, call);

/** Docker's proxy calls in its own name, and so does a bridge for its containers. */
const publishedAs = (
  call: Call,
  { gates }: WayAnswer,
  callee: IngressView | undefined,
  rules: HostRuleSet,
): GateAnswer | undefined => {
  const isHidden = gates.some(({ gate }) => gate === 'proxy') || bridgeOf(call.source, rules) !== undefined;
  return isHidden || isLoopback(call.source) ? callee && HIDDEN_CALLER : seenAs(call, callee);
};

function sourceOf(word: string): Prefix {
  const source = parseAddress(word);
  if (source !== undefined) return source;
  throw new UsageError(`expected the address of a caller, as 198.51.100.7, got "${word}"`);
}

/** Throws a `UsageError` for anything but one port, or one type of ICMP. */
function trafficOf(word: string, { family }: Prefix): Pick<Call, 'protocol' | 'port'> {
  if (!/^icmp/i.test(word)) return containerPortOf(word);
  const traffic = parseTraffic(word, family);
  if ('reason' in traffic) throw new UsageError(traffic.reason);
  const [type, ...more] = traffic.ranges;
  if (type !== undefined && type.first === type.last && more.length === 0)
    return { protocol: 'icmp', port: type.first };
  throw new UsageError(
    `expected one type of ICMP, as ${family === 4 ? 'icmp/8' : 'icmpv6/128'}, got "${word}"`,
  );
}

/** `tcp/80`. Throws a `UsageError` for anything else. */
export function containerPortOf(word: string): { readonly protocol: Transport; readonly port: number } {
  const [, name, digits] = /^([a-z]+)\/(\d{1,5})$/.exec(word.toLowerCase()) ?? [];
  const protocol = TRANSPORTS.find((one) => one === name);
  const port = Number(digits);
  if (protocol !== undefined && port >= 1 && port <= 65_535) return { protocol, port };
  throw new UsageError(
    `expected a protocol and a port of the container, as tcp/80, udp/53 or sctp/9, got "${word}"`,
  );
}

const TRANSPORTS = ['tcp', 'udp', 'sctp'] as const;

type DirectWay = WayAnswer & { readonly isLed: boolean };

const directWays = (call: Call, view: HostView, rules: HostRuleSet): readonly DirectWay[] =>
  addressesOf(call.container)
    .filter(({ family }) => family === call.source.family)
    .map((to) => {
      const led = ledFrom(to, call.protocol, call.port, view.networks?.inner);
      const gates = [...permitGates(call, to, view, rules), guardGate(call, to, view, rules)];
      const place = placeText(to, call.protocol, call.port);
      const isLed = led !== undefined && led.device === undefined;
      return { ...way(place, led === undefined ? gates : [...gates, leadGate(led)]), isLed };
    });

const leadGate = ({ to, protocol, port, origin, device }: LedAnswer): GateAnswer => {
  const on = device === undefined ? '' : ` for what comes in on its device ${device}`;
  return passes('networks.json', `${origin} leads the port to ${to} ${protocol}/${port}${on}`);
};

/** What is permitted passes other firewalls by one rule in each. */
function permitGates(call: Call, to: Prefix, view: HostView, rules: HostRuleSet): readonly GateAnswer[] {
  const permitted = permitText(call, to, view, rules);
  if (permitted !== undefined)
    return [passes('networks.json', permitted), ...passageGates(view, call.source.family)];
  if (view.networks === undefined) return [OTHERS];
  const [from, target] = [bridgeOf(call.source, rules), bridgeOf(to, rules)];
  if (from !== undefined && from === target) return [passes('networks.json', SAME_NETWORK), OTHERS];
  return [unknown('networks.json', NOT_PERMITTED), OTHERS];
}

const SAME_NETWORK = 'no policy is needed: the caller is on the same network';

const NOT_PERMITTED =
  'no policy lets this call in, so it passes only if other firewalls let it; Docker lets none in between its networks';

/** Which policies let a call in; undefined: none does. */
function permitText(call: Call, to: Prefix, view: HostView, rules: HostRuleSet): string | undefined {
  const [one] = matchingPermits({ ...call, to }, rules.permits);
  if (one === undefined) return undefined;
  const paths = matchingPermits({ ...call, to }, view.networks?.permits ?? []).map(
    ({ origin }) => origin.path,
  );
  const all = [...new Set(paths)];
  return all.length === 0 ? one.origin.text : `${all.join(' and ')} of networks.json`;
}

/** Ports of this host that lead here for what comes in on one device. */
const deviceWays = (call: Call, view: HostView, rules: HostRuleSet): readonly WayAnswer[] =>
  addressesOf(call.container)
    .filter(({ family }) => family === call.source.family)
    .flatMap((to) =>
      rules.forwards.flatMap((one) =>
        one.at.kind === 'device' &&
        one.protocol === call.protocol &&
        one.toPort === call.port &&
        contains(one.to, to)
          ? way(`device ${one.at.name} of this host, ${one.protocol}/${one.port}`, [
              passes('forward', one.origin.text),
              ...passageGates(view, to.family),
              guardGate(call, to, view, rules),
            ])
          : [],
      ),
    );

function publishedWays(call: Call, view: HostView, rules: HostRuleSet): readonly WayAnswer[] {
  const { container, source, protocol, port } = call;
  return container.ports
    .filter(
      (one) => one.protocol === protocol && one.containerPort === port && one.host.family === source.family,
    )
    .map((binding) => {
      const at = binding.host.length === 0 ? 'any address of this host' : formatPrefix(binding.host);
      return way(`${at}, ${protocol}/${binding.hostPort}`, publishedGates(call, binding, view, rules));
    });
}

function publishedGates(
  call: Call,
  binding: PortBinding,
  view: HostView,
  rules: HostRuleSet,
): readonly GateAnswer[] {
  if (isLoopback(binding.host))
    return [isLoopback(call.source) ? passes('loopback', 'a caller of this host itself') : ONLY_HERE];
  const to = addressesOf(call.container).find(({ family }) => family === binding.host.family);
  const forward = rules.forwards.find(
    ({ at, protocol, port, to: target }) =>
      target.family === binding.host.family &&
      protocol === binding.protocol &&
      port === binding.hostPort &&
      (at.kind === 'any' || (at.kind === 'address' && contains(binding.host, at.address))),
  );
  if (forward !== undefined && (to === undefined || !contains(forward.to, to)))
    return [denies('forward', `the port leads to ${formatPrefix(forward.to)}: ${forward.origin.text}`)];
  if (to === undefined) return [proxyGate(call, binding, view, rules), OTHERS];
  const led = forward === undefined ? 'Docker publishes the port itself' : forward.origin.text;
  const others = forward === undefined ? [OTHERS] : passageGates(view, to.family);
  return [passes('forward', led), ...others, guardGate(call, to, view, rules)];
}

/** As the chain `guard` decides. */
function guardGate(call: Call, to: Prefix, view: HostView, rules: HostRuleSet): GateAnswer {
  const { container, source, protocol, port } = call;
  const { guard, byHand, limited, unknown: reason } = view;
  if (reason !== undefined) return unknown('guard', reason);
  const free = unguarded(source, to.family, guard) ?? besideTheGuard(source, to, rules);
  if (guard === undefined || free !== undefined) return passes('guard', free ?? '');
  if (protocol === 'icmp') return echoGate(call, to, guard, rules);
  const opening = rules.openings.find(
    (one) => one.protocol === protocol && one.port === port && contains(one.to, to),
  );
  if (opening !== undefined && isCaller(source, opening)) return passes('guard', opening.origin.text);
  const permitted = permitText(call, to, view, rules);
  if (permitted !== undefined) return passes('guard', permitted);
  if (opening !== undefined)
    return closedGate('guard', guard, `open only for ${callersText(opening.from)}: ${opening.origin.text}`);
  const set = overridesOf(container, byHand).find((one) => isSamePort(one, { protocol, port }));
  return closedGate('guard', guard, closedText(set, limited?.get(container.id)));
}

/** Echo requests pass to an address with an open port. */
function echoGate({ port: type }: Call, to: Prefix, guard: Guard, { openings }: HostRuleSet): GateAnswer {
  const isNeeded = to.family === 6 && NEEDED_BY_IPV6.has(type);
  if (isNeeded)
    return passes('guard', 'neighbour discovery and errors about the size of packets always pass');
  if (type !== (to.family === 4 ? 8 : 128))
    return closedGate('guard', guard, 'of ICMP only echo requests pass');
  return openings.some((one) => contains(one.to, to))
    ? passes('guard', 'a port of this address is open, so echo requests pass')
    : closedGate('guard', guard, 'no port of this address is open, so echo requests are denied too');
}

/** Packet-too-big, discovery of neighbours and routers, and multicast. */
const NEEDED_BY_IPV6: ReadonlySet<number> = new Set([2, 130, 131, 132, 133, 134, 135, 136, 143]);

/** Opened by hand for callers of the other family, it has no opening in this one. */
function closedText(byHand: PortOverride | undefined, keys: string | undefined): string {
  if (byHand === undefined)
    return keys === undefined
      ? 'no service is registered at this port'
      : `nobody is let in at this port by ${keys}`;
  return byHand.kind === 'close' ? 'closed by hand' : `opened by hand only for ${callersText(byHand.from)}`;
}

/** As the chain `proxies` decides about the port at which Docker's proxy listens. */
function proxyGate(
  { source }: Call,
  binding: PortBinding,
  { guard, unknown: reason }: HostView,
  rules: HostRuleSet,
): GateAnswer {
  if (reason !== undefined) return unknown('proxy', reason);
  const free = unguarded(source, binding.host.family, guard);
  if (guard === undefined || free !== undefined) return passes('proxy', free ?? '');
  const from = bridgeOf(source, rules);
  if (from !== undefined && !guard.isBetween) return passes('proxy', BETWEEN);
  const proxied = rules.proxied.find(
    (one) =>
      one.protocol === binding.protocol && one.port === binding.hostPort && contains(one.at, binding.host),
  );
  if (proxied === undefined) return passes('proxy', 'the container is on no guarded bridge');
  if (proxied.from === 'anyone') return passes('proxy', 'the port behind it is open');
  if (proxied.from !== 'nobody' && proxied.from.some((one) => contains(one, source)))
    return passes('proxy', `the port behind it is open for ${callersText(proxied.from)}`);
  return closedGate('proxy', guard, "Docker's proxy carries the call, and the port behind it is closed");
}

/** Why the guard does not look at a call; undefined if it does. */
function unguarded(source: Prefix, family: 4 | 6, guard: Guard | undefined): string | undefined {
  if (guard === undefined) return 'no port is guarded (--ports off)';
  if (!guard.families.includes(family)) return `calls by IPv${family} are not guarded (--ports-family)`;
  return isLoopback(source) ? 'calls of this host itself are not guarded' : undefined;
}

function besideTheGuard(source: Prefix, to: Prefix, rules: HostRuleSet): string | undefined {
  const target = bridgeOf(to, rules);
  if (target === undefined) return 'its network has no bridge on this host';
  if (!target.isGuarded) return `the bridge ${target.name} is not guarded (--ports-bridges)`;
  const caller = bridgeOf(source, rules);
  if (caller === target && caller !== undefined) return `the caller is on the same bridge (${target.name})`;
  return caller !== undefined && rules.guard?.isBetween !== true ? BETWEEN : undefined;
}

const BETWEEN = 'callers on bridges of this Engine call freely (--ports-between allow)';

const isCaller = (source: Prefix, { from }: Opening): boolean =>
  from === 'anyone' || from.some((one) => contains(one, source));

const callersText = (from: readonly Prefix[] | 'anyone'): string =>
  from === 'anyone' ? from : from.map(formatPrefix).join(', ');

const passes = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'passes', reason });
const denies = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'denies', reason });

const closedGate = (gate: string, { mode }: Guard, reason: string): GateAnswer => ({
  ...{ gate, reason },
  outcome: mode === 'observe' ? 'records' : 'denies',
});

const ONLY_HERE = denies('loopback', 'the port is published for callers of this host alone');

/** What is forwarded by our table passes other firewalls by one rule in each. */
function passageGates({ passages }: HostView, family: 4 | 6): readonly GateAnswer[] {
  if (passages === undefined) return [OTHERS];
  const isMet = (tool: string) => tool.startsWith('ip6tables') === (family === 6);
  return [
    ...passages.passages
      .filter(({ tool }) => isMet(tool))
      .map(({ tool, chain, state }) =>
        state === 'kept'
          ? passes(`${tool} ${chain}`, 'its first rule accepts what this host forwards')
          : unknown(`${tool} ${chain}`, `the rule that accepts what this host forwards is ${state}`),
      ),
    ...passages.dropping
      .filter((chain) => !chain.startsWith(family === 6 ? 'ip ' : 'ip6 '))
      .map((chain) => unknown(chain, 'it drops what is forwarded unless a rule of its own accepts it')),
    ...[...passages.lacking, ...passages.failing]
      .filter(isMet)
      .map((tool) => unknown(tool, 'its rules cannot be changed')),
  ];
}

const unknown = (gate: string, reason: string): GateAnswer => ({ gate, outcome: 'unknown', reason });

/** Other firewalls of the host: DOCKER-USER, FORWARD, raw. */
const OTHERS: GateAnswer = {
  ...{ gate: 'other firewalls', outcome: 'unknown' },
  reason:
    'rules of other programs on this host were not read; "nft list ruleset" and "iptables-save" list them',
};

const way = (to: string, gates: readonly GateAnswer[]): WayAnswer => ({
  ...{ to, gates },
  passes: gates.every(({ outcome }) => outcome !== 'denies'),
});

const placeText = (address: Prefix, protocol: string, port: number): string =>
  `${formatPrefix(address)} ${protocol}/${port}`;
