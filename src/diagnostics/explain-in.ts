/**
 * Explains whether a caller can reach a port of a container, by each way that leads there and each gate on it.
 *
 * Agrees with the chains of the template: a gate tells what the loaded rules do with the first packet of a call.
 */
import { UsageError, UserError } from '../common/errors.ts';
import { isLoopback } from '../features/host/forwards.ts';
import type { HostRuleSet } from '../features/host/model.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { PortBinding, Transport } from '../inventory/network.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { contains, formatPrefix, type Prefix, parseAddress } from '../net/address.ts';
import { parseTraffic } from '../policy/traffic.ts';
import { leadGate, OTHERS, passageGates, permitGates } from './firewall-gates.ts';
import { type Call, denies, type GateAnswer, passes } from './gate-answer.ts';
import { guardGate, proxyGate } from './guard-gates.ts';
import { bridgeOf, type HostView } from './host-view.ts';
import { hiddenCallerGate, ingressGate, ingressOf } from './ingress-gate.ts';
import { ledFrom } from './networks-view.ts';

export interface ExplainInQuestion {
  readonly container: string;
  /** The caller's address; where instances are looked up, a service too. */
  readonly source: string;
  /** `tcp/80`: a port of the container; or `icmp/8`. */
  readonly traffic: string;
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
  /** An address, or a service. */
  readonly source: string;
  readonly traffic: string;
  /** None: the container has no address in the caller's family, and no port of this host leads there. */
  readonly ways: readonly WayAnswer[];
  /** Of a service: all of its callers pass. */
  readonly passes: boolean;
  /** Of a service, its instances; then there are no other ways. */
  readonly callers?: readonly CallerAnswer[] | undefined;
}

export interface CallerAnswer extends Pick<ExplainInAnswer, 'source' | 'ways' | 'passes'> {
  /** Where the instance is registered. */
  readonly node: string;
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
  if (container.network.kind === 'host') throw new UserError(onHostNetwork(container, question.traffic));
  const call = { container, source, ...trafficOf(question.traffic, source) };
  const callee = ingressOf(container.id, ingress);
  const ways = [
    ...directWays(call, view, rules).map(({ isLed, ...one }) =>
      // What is led elsewhere passes by the rules about this container's callers.
      withIngress(one, isLed ? undefined : seenAs(call, callee)),
    ),
    ...deviceWays(call, view, rules).map((one) => withIngress(one, seenAs(call, callee))),
    ...publishedWays(call, view, rules).map((one) =>
      withIngress(one, publishedAs(call, one, callee, view, rules)),
    ),
  ];
  return {
    ...{ container: container.name, source: formatPrefix(source) },
    traffic: `${call.protocol}/${call.port}`,
    ...{ ways, passes: ways.some(({ passes }) => passes) },
  };
}

const onHostNetwork = ({ name }: Call['container'], traffic: string): string =>
  `${name} runs in the host's own network (--network host), where no rules are loaded: whoever reaches ${traffic} of this host reaches it`;

const withIngress = ({ to, gates }: WayAnswer, last: GateAnswer | undefined): WayAnswer =>
  way(to, last === undefined ? gates : [...gates, last]);

const seenAs = (call: Call, callee: IngressView | undefined): GateAnswer | undefined =>
  callee && ingressGate(callee, call);

/** Docker's proxy calls in its own name, and so does a bridge for its containers. */
const publishedAs = (
  call: Call,
  { gates }: WayAnswer,
  callee: IngressView | undefined,
  view: HostView,
  rules: HostRuleSet,
): GateAnswer | undefined => {
  const isHidden = gates.some(({ gate }) => gate === 'proxy') || bridgeOf(call.source, rules) !== undefined;
  if (!isHidden && !isLoopback(call.source)) return seenAs(call, callee);
  return callee && hiddenCallerGate(callee, call, gatewayIn(call, view, rules));
};

/** Whether a prefix may hold a gateway of the container's bridges; without known bridges, any may. */
function gatewayIn({ container }: Call, view: HostView, rules: HostRuleSet): (prefix: Prefix) => boolean {
  const bridges = addressesOf(container).map((one) => bridgeOf(one, rules));
  if (bridges.length === 0 || bridges.includes(undefined)) return () => true;
  const subnets = bridges.flatMap((one) => one?.subnets ?? []);
  const addresses = view.containers.flatMap(addressesOf);
  const isContainer = (prefix: Prefix) => addresses.some((one) => contains(one, prefix));
  return (prefix) =>
    subnets.some((one) => contains(one, prefix) || contains(prefix, one)) && !isContainer(prefix);
}

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

const ONLY_HERE = denies('loopback', 'the port is published for callers of this host alone');

const way = (to: string, gates: readonly GateAnswer[]): WayAnswer => ({
  ...{ to, gates },
  passes: gates.every(({ outcome }) => outcome !== 'denies'),
});

const placeText = (address: Prefix, protocol: string, port: number): string =>
  `${formatPrefix(address)} ${protocol}/${port}`;
