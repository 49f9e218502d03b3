/**
 * Lines of ingress keys that would let in the callers that were denied.
 *
 * A caller whose address is that of one service alone is named by the service, which may move; any other by its address.
 */
import type { IngressView } from '../features/ingress/view.ts';
import { normalize, type Range } from '../net/ranges.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, matchesFor } from '../policy/compile.ts';
import { formatRule, parseRule, type Rule } from '../policy/rule.ts';
import { type Caller, callerIndex } from './caller-index.ts';
import type { DeniedCall, DeniedInAnswer } from './denied-in.ts';
import { type Destination, destinationOf } from './destination.ts';
import { callersIn, type Neighbours } from './ingress-snapshot.ts';
import { ReasonIndex } from './reason-index.ts';
import type { Snapshot } from './snapshot.ts';

export interface CallerSuggestion {
  readonly container: string;
  /** Its ingress keys. */
  readonly keys: readonly string[];
  readonly lines: readonly CallerLine[];
  /** Callers by a protocol that no rule can name. */
  readonly notExpressible: readonly string[];
}

export interface CallerLine {
  readonly rule: string;
  readonly packets: number;
  /** Services with an instance at the caller's address. */
  readonly services: readonly string[];
  /** The container of this host that has the address now. */
  readonly caller?: string | undefined;
  /** The network whose gateway it is: callers whose own address is hidden. */
  readonly gatewayOf?: string | undefined;
}

export interface SuggestInAnswer {
  readonly suggestions: readonly CallerSuggestion[];
  /** The covered period in milliseconds; undefined if not known. */
  readonly covers?: number | undefined;
  /** A record was full, so callers may be missing. */
  readonly isFull: boolean;
  /** The text of the requested key; undefined if Consul does not have it, or no key was requested. */
  readonly keyText?: string | undefined;
  readonly ingressPath: string;
}

/** `key`: the one whose whole new text is requested. */
export function suggestInAnswer(
  key: string | undefined,
  { calls, covers, isFull }: DeniedInAnswer,
  ingress: readonly IngressView[],
  { catalog, ingressPath, ingress: known }: Snapshot,
): SuggestInAnswer {
  const keys = new Map(ingress.map((one) => [one.target, one.keys]));
  const denied = calls.filter((call) => call.gate === 'ingress');
  const held = known && key !== undefined ? { acl: known.acl, key } : undefined;
  const suggestions = suggestCallers(denied, keys, { catalog, neighbours: known?.neighbours, held });
  const keyText = key === undefined ? undefined : known?.acl.get(key)?.text;
  return { suggestions, covers, isFull, keyText, ingressPath };
}

/** Who may have called. */
export interface Callers {
  readonly catalog: Catalog;
  readonly neighbours?: Neighbours | undefined;
  /** A key that may let in some of them by now: a call stays listed for an hour. */
  readonly held?: { readonly acl: Acl; readonly key: string } | undefined;
}

/** `calls`: those that ingress rules denied. */
export function suggestCallers(
  calls: readonly DeniedCall[],
  keysOf: ReadonlyMap<string, readonly string[]>,
  callers: Callers,
): readonly CallerSuggestion[] {
  const callerOf = callerIndex(callers.catalog, callers.neighbours);
  const isHeld = heldBy(callers);
  const byContainer = Map.groupBy(calls, ({ container = '' }) => container);
  return [...byContainer]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([container, all]) => {
      const named = all.flatMap(expressible).filter((one) => !isHeld(one));
      const known = named.map((one) => ({ ...one, caller: callerOf(one.host) }));
      return {
        ...{ container, keys: keysOf.get(container) ?? [] },
        lines: [...Map.groupBy(known, lineId).values()].flatMap(lineFor).toSorted(byPackets),
        notExpressible: all.filter((one) => expressible(one).length === 0).map(callText),
      };
    });
}

/** A call that a rule can name: `host` is the caller, `port` one of the container. */
interface Expressible extends Destination {
  readonly packets: number;
}

interface KnownCall extends Expressible {
  readonly caller: Caller;
}

const expressible = (call: DeniedCall): readonly Expressible[] => {
  const { source: address, protocol, port, packets } = call;
  const found = destinationOf({ address, protocol, port, packets });
  return found === undefined ? [] : [{ ...found, packets }];
};

const callText = ({ source, protocol, port }: DeniedCall): string =>
  `${source} ${protocol || '(any protocol)'}${port === undefined ? '' : `/${port}`}`;

const byPackets = (one: CallerLine, other: CallerLine): number =>
  other.packets - one.packets || (one.rule < other.rule ? -1 : 1);

/** Calls with the same one are let in by one line. */
const lineId = (call: KnownCall): string => expressed(call, [{ first: 1, last: 1 }]) ?? '';

function lineFor(calls: readonly KnownCall[]): readonly CallerLine[] {
  const [first] = calls;
  const ranges = normalize(calls.map(({ port }) => ({ first: port, last: port })));
  const rule = first && expressed(first, ranges);
  if (first === undefined || rule === undefined) return [];
  const { container: caller, gatewayOf } = first.caller;
  return [
    {
      ...{ rule, packets: calls.reduce((sum, { packets }) => sum + packets, 0) },
      services: [...new Set(calls.flatMap((one) => one.caller.services))],
      ...(serviceOf(first) === undefined && caller !== undefined && { caller }),
      ...(gatewayOf !== undefined && { gatewayOf }),
    },
  ];
}

/** A rule that names the service, or else the address. */
const expressed = (call: KnownCall, ranges: readonly Range[]): string | undefined => {
  const service = serviceOf(call);
  const { host: prefix, protocol } = call;
  return service === undefined
    ? formatRule({ kind: 'address', prefix, protocol, ranges })
    : formatRule(ruleBy(service, call, ranges));
};

/** The only service at the caller's address, if a rule can name it: a service may have any name in Consul. */
function serviceOf(call: KnownCall): string | undefined {
  const [only, ...more] = call.caller.services;
  if (only === undefined || more.length > 0) return undefined;
  const text = formatRule(ruleBy(only, call, [{ first: 1, last: 1 }]));
  const parsed = parseRule(text, 'ingress');
  return parsed !== undefined && 'rule' in parsed && formatRule(parsed.rule) === text ? only : undefined;
}

/** The types of ICMP are those of one family. */
function ruleBy(name: string, { host, protocol }: Destination, ranges: readonly Range[]): Rule {
  const [service = '', datacenter] = name.split('@', 2);
  const family = protocol === 'icmp' ? host.family : undefined;
  return { kind: 'service', service, tag: undefined, datacenter, protocol, ranges, family };
}

function heldBy({ catalog, neighbours, held }: Callers): (call: Expressible) => boolean {
  const key = held?.acl.get(held.key);
  if (key === undefined) return () => false;
  const { reasons } = matchesFor([key], callersIn(catalog, neighbours), []);
  const index = new ReasonIndex(reasons, []);
  return (call) => index.find(call).allowing.length > 0;
}
