/**
 * The answer to "can this container reach that, and why", as plain data: prefixes and parsed rules become text.
 */

import type { NamespaceState } from '../features/egress/states.ts';
import { formatPrefix, type Prefix } from '../net/address.ts';
import type { Range } from '../net/ranges.ts';
import { grantedKeys, matchesFor, type RuleMatch } from '../policy/compile.ts';
import { formatRule, type RuleLine } from '../policy/rule.ts';
import type { Protocol } from '../policy/traffic.ts';
import { formatDestination } from './destination.ts';
import { type Cause, createExplainer, type Explanation, type Hint, type PolicyView } from './explain.ts';
import { pickNamespace, viewOf } from './namespace-view.ts';
import { type InnerView, type LedAnswer, ledFrom } from './networks-view.ts';
import { ReasonIndex } from './reason-index.ts';
import type { Snapshot } from './snapshot.ts';
import type { CatalogIndex } from './suggest.ts';
import { instancesOf, parseTarget } from './target.ts';

export interface ExplainQuestion {
  readonly container: string;
  /** An address or a service. */
  readonly target: string;
  /** Protocol and port, `tcp/443`. */
  readonly traffic?: string | undefined;
}

/** A line of a key, `text` as written and `rule` as read. */
export interface LineAnswer {
  readonly key: string;
  readonly line: number;
  readonly text: string;
  readonly rule: string;
}

/** A line, and the traffic that it allows. */
export interface ReasonAnswer extends LineAnswer {
  /** The node of the instance, where the line names a service. */
  readonly node?: string | undefined;
  readonly prefix: string;
  readonly protocol: Protocol;
  readonly ranges: readonly Range[];
}

/** A `Hint` in plain data. */
export type HintAnswer =
  | Extract<Hint, { readonly kind: 'no-dns' | 'unknown-key' | 'write' }>
  | { readonly kind: 'protected'; readonly reason: ReasonAnswer; readonly rule: string }
  | { readonly kind: 'grant'; readonly reason: ReasonAnswer; readonly rules: number; readonly broad: boolean }
  | ({ readonly kind: 'no-instance' | 'unread-service' } & LineAnswer)
  | { readonly kind: 'partial-match'; readonly reason: ReasonAnswer };

/** A `Cause` in plain data. */
export type CauseAnswer =
  | { readonly because: 'loopback' | 'resolver' | 'open' }
  | { readonly because: 'rules' | 'closed'; readonly reasons: readonly ReasonAnswer[] }
  | { readonly because: 'nothing'; readonly hints: readonly HintAnswer[] };

export type ExplanationAnswer = CauseAnswer & {
  readonly destination: string;
  readonly allowed: boolean;
  /** Packets get through: allowed, or only recorded in audit mode. */
  readonly passes: boolean;
  /** Where the port leads, if it is one of a container that networks.json leads elsewhere. */
  readonly leadsTo?: LedAnswer | undefined;
};

/** The container in question. */
export interface AskedContainer {
  readonly container: string;
  readonly grants: readonly string[];
  /** The grants that exist in Consul. */
  readonly keys: readonly string[];
  /** Undefined without a controller. */
  readonly state?: NamespaceState | undefined;
}

export interface ExplainAnswer {
  readonly denylist: boolean;
  readonly explained: AskedContainer &
    (
      | { readonly explanations: readonly ExplanationAnswer[] }
      /** For an address alone: the lines that allow anything there. */
      | { readonly host: string; readonly reasons: readonly ReasonAnswer[] }
    );
}

/** Throws a `UserError` if there is no such container, or the service has no instance. */
export function explainAnswer(
  { container, target: word, traffic }: ExplainQuestion,
  snapshot: Snapshot,
  indexOf: () => CatalogIndex,
): ExplainAnswer {
  const target = parseTarget(word, traffic);
  const { acl, denylist } = snapshot;
  const namespace = pickNamespace(snapshot, container);
  const view = viewOf(snapshot, namespace);
  const { grants, state } = namespace;
  const asked = { container, grants, keys: grants.filter((key) => acl.has(key)), state };
  if (target.kind === 'host') {
    const reasons = reasonsAt(target.host, view).map(plainReason);
    return { denylist, explained: { ...asked, host: formatPrefix(target.host), reasons } };
  }
  const destinations =
    target.kind === 'service'
      ? instancesOf(target.rule, view.catalog).map(([, destination]) => destination)
      : target.destinations;
  const inner = snapshot.host?.networks?.inner;
  const explanations = destinations.map(createExplainer(view, indexOf)).map((one) => ({
    ...plainExplanation(one),
    ...leadOf(one.destination, inner),
  }));
  return { denylist, explained: { ...asked, explanations } };
}

function leadOf(
  { host, protocol, port }: Explanation['destination'],
  inner: readonly InnerView[] | undefined,
): Pick<ExplanationAnswer, 'leadsTo'> {
  const leadsTo = port === undefined ? undefined : ledFrom(host, protocol, port, inner);
  return leadsTo === undefined ? {} : { leadsTo };
}

/** Lines that allow anything at a host. */
function reasonsAt(host: Prefix, { grants, acl, catalog, protectedHosts }: PolicyView): readonly RuleMatch[] {
  const { reasons } = matchesFor(grantedKeys(grants, acl), catalog, protectedHosts);
  return new ReasonIndex(reasons, protectedHosts).at(host);
}

const plainReason = ({ key, line, instance, entry }: RuleMatch): ReasonAnswer => ({
  ...plainLine(key, line),
  node: instance?.node,
  prefix: formatPrefix(entry.prefix),
  protocol: entry.protocol,
  ranges: entry.ranges,
});

const plainLine = (key: string, { line, text, rule }: RuleLine): LineAnswer => ({
  ...{ key, line, text },
  rule: formatRule(rule),
});

export const plainExplanation = ({
  destination,
  allowed,
  passes,
  cause,
}: Explanation): ExplanationAnswer => ({
  ...{ destination: formatDestination(destination), allowed, passes },
  ...plainCause(cause),
});

function plainCause(cause: Cause): CauseAnswer {
  if (cause.kind === 'rules' || cause.kind === 'closed')
    return { because: cause.kind, reasons: cause.reasons.map(plainReason) };
  if (cause.kind === 'nothing') return { because: 'nothing', hints: cause.hints.map(plainHint) };
  return { because: cause.kind };
}

function plainHint(hint: Hint): HintAnswer {
  if ('reason' in hint) return { ...hint, reason: plainReason(hint.reason) };
  if ('line' in hint) return { kind: hint.kind, ...plainLine(hint.key, hint.line) };
  return hint;
}
