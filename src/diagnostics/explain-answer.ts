/**
 * The answer to "can this container reach that, and why", as plain data: prefixes and parsed rules become text.
 */

import type { NamespaceState } from '../features/egress/states.ts';
import type { GrantedName } from '../features/names/name-report.ts';
import { formatPrefix, type Prefix } from '../net/address.ts';
import type { Range } from '../net/ranges.ts';
import { grantedKeys, matchesFor, type RuleMatch } from '../policy/compile.ts';
import type { Protocol } from '../policy/traffic.ts';
import { formatDestination } from './destination.ts';
import { type Cause, createExplainer, type Explanation, type Hint } from './explain.ts';
import { explainName, linesAbout, type NameCause, type NameHint } from './explain-names.ts';
import { type LineAnswer, plainLine } from './line-answer.ts';
import { pickNamespace, viewOf } from './namespace-view.ts';
import { type InnerView, type LedAnswer, ledFrom } from './networks-view.ts';
import type { PolicyView } from './policy-view.ts';
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
  | Extract<Hint, { readonly kind: 'no-dns' | 'names-only' | 'unknown-key' | 'write' }>
  | NameHint
  | { readonly kind: 'protected'; readonly reason: ReasonAnswer; readonly rule: string }
  | { readonly kind: 'grant'; readonly reason: ReasonAnswer; readonly rules: number; readonly broad: boolean }
  | ({ readonly kind: 'no-instance' | 'unread-service' } & LineAnswer)
  | { readonly kind: 'partial-match'; readonly reason: ReasonAnswer };

/** A `Cause` in plain data. */
export type CauseAnswer =
  | { readonly because: 'loopback' | 'resolver' | 'open' }
  | { readonly because: 'rules' | 'closed'; readonly reasons: readonly ReasonAnswer[] }
  | Extract<NameCause, { readonly because: 'names' }>
  | { readonly because: 'granted'; readonly granted: readonly GrantedName[] }
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
      | {
          readonly host: string;
          readonly reasons: readonly ReasonAnswer[];
          /** The names by which it is granted now, if there are some. */
          readonly granted?: readonly GrantedName[] | undefined;
        }
      /** For a name alone: the lines about it, and its addresses that are granted now. */
      | {
          readonly name: string;
          readonly lines: readonly LineAnswer[];
          readonly granted: readonly GrantedName[];
          /** Why the lines grant nothing; undefined if they do. */
          readonly noNames?: string | undefined;
        }
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
    const host = formatPrefix(target.host);
    const reasons = reasonsAt(target.host, view).map(plainReason);
    const granted = (view.names?.grants ?? []).filter(({ address }) => address === host);
    return { denylist, explained: { ...asked, host, reasons, ...(granted.length > 0 && { granted }) } };
  }
  if (target.kind === 'names') return { denylist, explained: { ...asked, ...linesAbout(view, target.name) } };
  if (target.kind === 'name')
    return { denylist, explained: { ...asked, explanations: [explainName(view, target.asked)] } };
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
  return cause.kind === 'granted' ? { because: 'granted', granted: cause.granted } : { because: cause.kind };
}

function plainHint(hint: Hint): HintAnswer {
  if (hint.kind === 'no-names') return hint;
  if ('reason' in hint) return { ...hint, reason: plainReason(hint.reason) };
  if ('line' in hint) return { kind: hint.kind, ...plainLine(hint.key, hint.line) };
  return hint;
}
