/**
 * Explains why a destination is allowed or denied, and what would have to change: the answer to "my container cannot
 * reach X".
 *
 * Agrees with the loaded rules: `allowed` is the result of the compiled rule set, except for loopback and the
 * container's own resolvers, about which the template decides before any rule.
 */

import type { GrantedName } from '../features/names/name-report.ts';
import { serviceName } from '../inventory/service.ts';
import type { DnsPolicy } from '../inventory/workload.ts';
import { contains, type Prefix, parseAddress, prefixOf } from '../net/address.ts';
import { type Catalog, grantedKeys, matchesFor, type RuleMatch } from '../policy/compile.ts';
import type { RuleLine, ServiceRule } from '../policy/rule.ts';
import { denylistLookup, isReserved } from './denylist.ts';
import type { Destination } from './destination.ts';
import { grantsAt, whyNotKnown } from './explain-names.ts';
import type { PolicyView } from './policy-view.ts';
import { type HostMatches, onePerKey, ReasonIndex } from './reason-index.ts';
import { type CatalogIndex, createSuggester, type Suggestion } from './suggest.ts';

/** What prevents a container from reaching a destination, or would allow it. */
export type Hint =
  /** Name resolution was switched off by EGRESSTRATOR_DNS=none. */
  | { readonly kind: 'no-dns' }
  /** Its names are answered in its place (EGRESSTRATOR_DNS=names), so it needs no resolver. */
  | { readonly kind: 'names-only' }
  /** It is not known whether a rule by name grants it, and why. */
  | { readonly kind: 'no-names'; readonly reason: string }
  /** A granted line is too broad to grant this protected host; `rule` would name it. */
  | { readonly kind: 'protected'; readonly reason: RuleMatch; readonly rule: string }
  /** A key that is not granted allows it; `rules` and `broad` as in `SuggestedKey`. */
  | { readonly kind: 'grant'; readonly reason: RuleMatch; readonly rules: number; readonly broad: boolean }
  /** A granted key does not exist. */
  | { readonly kind: 'unknown-key'; readonly key: string }
  /** A granted line names a service without an instance, or without one with that tag. */
  | { readonly kind: 'no-instance'; readonly key: string; readonly line: RuleLine }
  /** A granted line names a service that could not be read. */
  | { readonly kind: 'unread-service'; readonly key: string; readonly line: RuleLine }
  /** A granted line names the host, but other traffic. */
  | { readonly kind: 'partial-match'; readonly reason: RuleMatch }
  /** A new line that would allow it. */
  | { readonly kind: 'write'; readonly rule: string };

export type Cause =
  | { readonly kind: 'loopback' }
  | { readonly kind: 'resolver' }
  /** At least one. */
  | { readonly kind: 'rules'; readonly reasons: readonly RuleMatch[] }
  /** Names lead there: granted for now. */
  | { readonly kind: 'granted'; readonly granted: readonly GrantedName[] }
  /** A denylist is in use, and no key that is not granted names this. */
  | { readonly kind: 'open' }
  /** A denylist is in use, and these lines of keys that are not granted name it; at least one. */
  | { readonly kind: 'closed'; readonly reasons: readonly RuleMatch[] }
  | { readonly kind: 'nothing'; readonly hints: readonly Hint[] };

export interface Explanation {
  readonly destination: Destination;
  readonly allowed: boolean;
  /** True if packets get through: allowed, or only recorded in audit mode. */
  readonly passes: boolean;
  readonly cause: Cause;
}

/** Work that is the same for all destinations is done once. `indexOf`: see `createSuggester`. */
export function createExplainer(
  view: PolicyView,
  indexOf?: () => CatalogIndex,
): (destination: Destination) => Explanation {
  const { grants, acl, catalog, protectedHosts, mode } = view;
  const { reasons } = matchesFor(grantedKeys(grants, acl), catalog, protectedHosts);
  const granted = new ReasonIndex(reasons, protectedHosts);
  const closedBy = view.denylist === true ? denylistLookup(grants, acl, catalog) : undefined;
  const suggest = createSuggester(view, indexOf);
  const missingInstances = withoutInstances(view);
  return (destination) => {
    const matches = granted.find(destination);
    const hints = () => hintsFor(view, destination, matches, suggest([destination]), missingInstances);
    const cause = decide(view, destination, matches, closedBy) ?? { kind: 'nothing', hints: hints() };
    const allowed = cause.kind !== 'nothing' && cause.kind !== 'closed';
    return { destination, allowed, passes: allowed || mode === 'audit', cause };
  };
}

/** Undefined if nothing allows it. Checks in the order in which the loaded rules decide. */
function decide(
  view: PolicyView,
  destination: Destination,
  { allowing }: HostMatches,
  closedBy: ReturnType<typeof denylistLookup> | undefined,
): Exclude<Cause, { kind: 'nothing' }> | undefined {
  const { host, protocol, port } = destination;
  if (isResolverDisabled(view, host)) return undefined;
  if (LOOPBACK.some((prefix) => contains(prefix, host))) return { kind: 'loopback' };
  const isDns = protocol !== 'icmp' && port === 53 && isResolver(view, host);
  if (isDns && view.dns === 'resolvers') return { kind: 'resolver' };
  if (isDns && closedBy !== undefined) return undefined;
  const closed = closedBy?.(destination) ?? [];
  if (closed.length > 0) return { kind: 'closed', reasons: closed };
  if (allowing.length > 0) return { kind: 'rules', reasons: allowing };
  const granted = grantsAt(view, destination);
  if (granted.length > 0) return { kind: 'granted', granted };
  return closedBy !== undefined && !isReserved(destination, view.dns) ? { kind: 'open' } : undefined;
}

function hintsFor(
  view: PolicyView,
  destination: Destination,
  { tooBroad, partialMatches }: HostMatches,
  { lines, keys }: Suggestion,
  missingInstances: readonly Hint[],
): readonly Hint[] {
  const { host, protocol, port } = destination;
  const isName = port === 53 && (isResolver(view, host) || contains(DOCKER_RESOLVER, host));
  const rules = lines.map(({ text }) => text);
  const notKnown = whyNotKnown(view, destination);
  const hints: readonly (readonly Hint[])[] = [
    isName && protocol !== 'icmp' ? WITHOUT_RESOLVERS[view.dns] : [],
    notKnown === undefined ? [] : [{ kind: 'no-names', reason: notKnown }],
    tooBroad.slice(0, 1).flatMap((reason) => rules.map((rule) => ({ kind: 'protected', reason, rule }))),
    keys.map(({ reason, rules: size, broad }) => ({ kind: 'grant', reason, rules: size, broad })),
    view.grants.filter((key) => !view.acl.has(key)).map((key) => ({ kind: 'unknown-key', key })),
    missingInstances,
    onePerKey(partialMatches).map((reason) => ({ kind: 'partial-match', reason })),
    tooBroad.length > 0 ? [] : rules.map((rule) => ({ kind: 'write', rule })),
  ];
  return hints.flat();
}

const WITHOUT_RESOLVERS: Readonly<Record<DnsPolicy, readonly Hint[]>> = {
  ...{ resolvers: [], names: [{ kind: 'names-only' }], none: [{ kind: 'no-dns' }] },
};

const withoutInstances = ({ grants, acl, catalog }: PolicyView): readonly Hint[] =>
  grantedKeys(grants, acl).flatMap(({ key, rules }) =>
    rules.flatMap((line): readonly Hint[] =>
      line.rule.kind === 'service' && !hasInstance(line.rule, catalog)
        ? [{ kind: catalog.has(serviceName(line.rule)) ? 'no-instance' : 'unread-service', key, line }]
        : [],
    ),
  );

const hasInstance = (rule: ServiceRule, catalog: Catalog): boolean =>
  (catalog.get(serviceName(rule)) ?? []).some(
    ({ tags }) => rule.tag === undefined || tags.includes(rule.tag),
  );

/** Docker's own resolver forwards queries for the container. */
const isResolverDisabled = ({ dns }: PolicyView, host: Prefix): boolean =>
  dns === 'none' && contains(DOCKER_RESOLVER, host);

const isResolver = ({ resolvers }: PolicyView, host: Prefix): boolean =>
  resolvers.some((resolver) => {
    const address = parseAddress(resolver);
    return address !== undefined && contains(address, host);
  });

const LOOPBACK: readonly Prefix[] = [prefixOf(4, 0x7f000000n, 8), prefixOf(6, 1n, 128)];
/** Docker's own resolver, 127.0.0.11, inside every user-defined network. */
const DOCKER_RESOLVER = prefixOf(4, 0x7f00000bn, 32);
