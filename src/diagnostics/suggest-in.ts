/**
 * Lines of ingress keys that would let in the callers that were denied.
 *
 * A caller whose address is that of one service alone is named by the service, which may move; any other by its address.
 */
import type { Instance } from '../inventory/service.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { normalize } from '../net/ranges.ts';
import { formatRule, parseRule } from '../policy/rule.ts';
import { formatTraffic, type Protocol } from '../policy/traffic.ts';
import type { DeniedCall } from './denied-in.ts';

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
}

export interface SuggestInAnswer {
  readonly suggestions: readonly CallerSuggestion[];
  /** The covered period in milliseconds. */
  readonly covers: number;
  /** A record was full, so callers may be missing. */
  readonly isFull: boolean;
}

/** `calls`: those that ingress rules denied. */
export function suggestCallers(
  calls: readonly DeniedCall[],
  keysOf: ReadonlyMap<string, readonly string[]>,
  catalog: ReadonlyMap<string, readonly Instance[]>,
): readonly CallerSuggestion[] {
  const servicesAt = servicesByAddress(catalog);
  const byContainer = Map.groupBy(calls, ({ container = '' }) => container);
  return [...byContainer]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([container, all]) => {
      const [named, others] = partition(all);
      const callers = [...Map.groupBy(named, ({ source, protocol }) => `${source} ${protocol}`).values()];
      return {
        ...{ container, keys: keysOf.get(container) ?? [] },
        lines: callers.flatMap((one) => lineFor(one, servicesAt)).toSorted(byPackets),
        notExpressible: others.map(({ source, protocol }) => `${source} ${protocol || '(any protocol)'}`),
      };
    });
}

type Named = DeniedCall & { readonly protocol: Protocol; readonly port: number };

function partition(calls: readonly DeniedCall[]): readonly [readonly Named[], readonly DeniedCall[]] {
  const isNamed = (call: DeniedCall): call is Named =>
    PROTOCOLS.has(call.protocol) && call.port !== undefined && parseAddress(call.source) !== undefined;
  return [calls.filter(isNamed), calls.filter((call) => !isNamed(call))];
}

const PROTOCOLS: ReadonlySet<string> = new Set<Protocol>(['tcp', 'udp', 'icmp']);

const byPackets = (one: CallerLine, other: CallerLine): number =>
  other.packets - one.packets || (one.rule < other.rule ? -1 : 1);

function lineFor(
  calls: readonly Named[],
  servicesAt: ReadonlyMap<string, readonly string[]>,
): readonly CallerLine[] {
  const [first] = calls;
  const address = first && parseAddress(first.source);
  if (first === undefined || address === undefined) return [];
  const { protocol } = first;
  const traffic = formatTraffic({
    protocol,
    ranges: normalize(calls.map(({ port }) => ({ first: port, last: port }))),
  });
  const source = formatAddress(address.family, address.address);
  const services = servicesAt.get(source) ?? [];
  const byAddress = address.family === 6 ? `[${source}]:${traffic}` : `${source}:${traffic}`;
  const [only, ...more] = services;
  const byService =
    only === undefined || more.length > 0 || protocol === 'icmp' ? undefined : `${only}:${traffic}`;
  const rule = canonical(byService) ?? canonical(byAddress);
  const packets = calls.reduce((sum, call) => sum + call.packets, 0);
  return rule === undefined ? [] : [{ rule, packets, services }];
}

/** Undefined if it is no rule: a service may have any name in Consul. */
function canonical(text: string | undefined): string | undefined {
  const parsed = text === undefined ? undefined : parseRule(text, 'ingress');
  return parsed !== undefined && 'rule' in parsed ? formatRule(parsed.rule) : undefined;
}

function servicesByAddress(
  catalog: ReadonlyMap<string, readonly Instance[]>,
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, Set<string>>();
  for (const [service, instances] of catalog)
    for (const { address } of instances) {
      const parsed = parseAddress(address);
      const text = parsed === undefined ? address : formatAddress(parsed.family, parsed.address);
      names.set(text, (names.get(text) ?? new Set()).add(service));
    }
  return new Map([...names].map(([address, services]) => [address, [...services].sort()]));
}
