/**
 * What the ingress rules of a container do with a call: the last gate on each way, in the container's own namespace.
 */
import type { IngressView } from '../features/ingress/view.ts';
import type { ContainerId } from '../inventory/container.ts';
import { contains, type Prefix } from '../net/address.ts';
import { formatRange } from '../net/ranges.ts';
import type { RuleMatch } from '../policy/compile.ts';
import type { GateAnswer, GateOutcome } from './gate-answer.ts';

export interface IngressCall {
  readonly source: Prefix;
  readonly protocol: string;
  readonly port: number;
}

/** The rules about the callers of a container; undefined if it has none. */
export const ingressOf = (id: ContainerId, all: readonly IngressView[]): IngressView | undefined =>
  all.find(({ ids }) => ids.includes(id));

/** As the chain `input` of the template decides. */
export function ingressGate(view: IngressView, call: IngressCall): GateAnswer {
  if (view.state === 'pending' || view.state === 'failed')
    return gate('unknown', `its ingress rules are not loaded (${view.state})`);
  if (isDiscovery(call)) return gate('passes', 'neighbour discovery always passes');
  const found = view.policy.reasons.find((one) => isAbout(one, call) && hasPort(one, call));
  if (found !== undefined) return gate('passes', matchText(found));
  return gate(view.mode === 'audit' ? 'records' : 'denies', whyNot(view, call));
}

/** On a way on which the caller's address is replaced. `mayBe`: whether a prefix may hold the address in its place. */
export function hiddenCallerGate(
  view: IngressView,
  call: IngressCall,
  mayBe: (prefix: Prefix) => boolean,
): GateAnswer {
  const isLoaded = view.state !== 'pending' && view.state !== 'failed';
  const isKnown =
    isLoaded && !view.policy.reasons.some((one) => hasPort(one, call) && mayBe(one.entry.prefix));
  if (!isKnown) return gate('unknown', HIDDEN_CALLER);
  return gate(
    view.mode === 'audit' ? 'records' : 'denies',
    `${HIDDEN_CALLER}; none of its ingress keys lets that in`,
  );
}

const HIDDEN_CALLER =
  "the container does not see this caller's address, but the gateway of its bridge: Docker's proxy or masquerading replaces it";

const gate = (outcome: GateOutcome, reason: string): GateAnswer => ({
  ...{ gate: 'ingress', outcome, reason },
});

const isDiscovery = ({ source, protocol, port }: IngressCall): boolean =>
  source.family === 6 && protocol === 'icmp' && port >= 134 && port <= 136;

const isAbout = ({ entry }: RuleMatch, { source }: IngressCall): boolean => contains(entry.prefix, source);

const hasPort = ({ entry }: RuleMatch, { protocol, port }: IngressCall): boolean =>
  entry.protocol === protocol && entry.ranges.some(({ first, last }) => first <= port && port <= last);

const matchText = ({ key, line, instance }: RuleMatch): string =>
  `ingress key ${key} line ${line.line}: ${line.text}${instance === undefined ? '' : ` (instance ${instance.address})`}`;

function whyNot({ keys, policy }: IngressView, call: IngressCall): string {
  if (keys.length === 0) return 'the container names no ingress key, so nobody may call';
  const named = policy.reasons.filter((one) => isAbout(one, call));
  const whose = `its ingress keys (${keys.join(', ')})`;
  if (named.length === 0) return `none of ${whose} names this caller`;
  const ports = [...new Set(named.flatMap(({ entry }) => portsText(entry)))].slice(0, MOST_PORTS);
  return `${whose} let this caller in only at ${ports.join(', ')}`;
}

/** Ports in one sentence. */
const MOST_PORTS = 8;

const portsText = ({ protocol, ranges }: RuleMatch['entry']): readonly string[] =>
  ranges.map((range) => `${protocol}/${formatRange(range)}`);
