/**
 * A rule set as printable elements. Templates only lay them out: printing is done here, once and
 * quickly, as a namespace may have ten thousand of them.
 */
import { formatPrefix } from '../domain/address.ts';
import type { Range } from '../domain/rule.ts';
import type { Element, RuleSet } from '../domain/rule-set.ts';

/** One layer of a rule set: elements of one kind that do not overlap, as a kernel's set wants them. */
export interface SetContext {
  /** Empty for the first layer, `_1`, `_2`, … for further ones: to be appended to a set's name. */
  readonly suffix: string;
  /** Never empty. */
  readonly elements: readonly string[];
}

/** Each list holds only layers that have elements of its kind. */
export interface TrafficContext {
  /** `10.0.0.0/8 . tcp . 80-90` */
  readonly ipv4: readonly SetContext[];
  /** `2001:db8::/32 . udp . 53` */
  readonly ipv6: readonly SetContext[];
  /** `10.0.0.0/8 . 8` */
  readonly icmp4: readonly SetContext[];
  /** `2001:db8::/32 . 128` */
  readonly icmp6: readonly SetContext[];
  /** Matches of iptables and ip6tables, all layers: `-4 -d 10.0.0.0/8 -p tcp --dport 80:90` */
  readonly xtables: readonly string[];
}

type Kind = 'ipv4' | 'ipv6' | 'icmp4' | 'icmp6';

/** `wants`: the fields that somebody will look at; the others stay empty, as printing is what costs. */
export function trafficContext(
  ruleSet: RuleSet,
  wants: (field: keyof TrafficContext) => boolean,
): TrafficContext {
  const layers = ruleSet.layers.map((layer) => printLayer(layer, wants));
  const sets = (kind: Kind): readonly SetContext[] =>
    layers.flatMap((layer, index) =>
      layer[kind].length === 0 ? [] : [{ suffix: index === 0 ? '' : `_${index}`, elements: layer[kind] }],
    );
  return {
    ipv4: sets('ipv4'),
    ipv6: sets('ipv6'),
    icmp4: sets('icmp4'),
    icmp6: sets('icmp6'),
    xtables: wants('xtables') ? ruleSet.layers.flat().flatMap(printXtables) : [],
  };
}

function printLayer(
  layer: readonly Element[],
  wants: (kind: Kind) => boolean,
): Readonly<Record<Kind, readonly string[]>> {
  const printed: Record<Kind, string[]> = { ipv4: [], ipv6: [], icmp4: [], icmp6: [] };
  for (const element of layer) {
    const kind = kindOf(element);
    if (wants(kind)) printed[kind].push(printElement(element));
  }
  return printed;
}

const kindOf = ({ prefix, protocol }: Element): Kind =>
  protocol === 'icmp' ? (prefix.family === 4 ? 'icmp4' : 'icmp6') : prefix.family === 4 ? 'ipv4' : 'ipv6';

const printElement = ({ prefix, protocol, range }: Element): string =>
  protocol === 'icmp'
    ? `${formatPrefix(prefix)} . ${printRange(range, '-')}`
    : `${formatPrefix(prefix)} . ${protocol} . ${printRange(range, '-')}`;

const printRange = ({ first, last }: Range, dash: string): string =>
  first === last ? `${first}` : `${first}${dash}${last}`;

/** One match, except where ICMP types are a range that xtables cannot say: then one for each type. */
function printXtables({ prefix, protocol, range }: Element): readonly string[] {
  const destination = `-${prefix.family} -d ${formatPrefix(prefix)}`;
  if (protocol !== 'icmp') return [`${destination} -p ${protocol} --dport ${printRange(range, ':')}`];
  const [name, option] = prefix.family === 4 ? ['icmp', '--icmp-type'] : ['icmpv6', '--icmpv6-type'];
  if (range.first === 0 && range.last === 255) return [`${destination} -p ${name}`];
  const types = Array.from({ length: range.last - range.first + 1 }, (_, index) => range.first + index);
  return types.map((type) => `${destination} -p ${name} ${option} ${type}`);
}
