/**
 * A rule set as printable elements. Templates only lay them out: printing is done here, once and
 * quickly, as a namespace may have ten thousand of them.
 */
import { formatPrefix, WIDTH } from '../net/address.ts';
import type { Range } from './rule.ts';
import type { Element, RuleSet } from './rule-set.ts';

/**
 * Elements of one kind for one set of the kernel. Exact ones, which name one address and one number, are kept
 * apart from the others: a hash finds one of them at once, while a set of intervals is read bit by bit for each
 * of its fields, and takes longer to load and to list.
 */
export interface SetContext {
  /** To be appended to a set's name: `_exact`, or empty for the first layer and `_1`, `_2`, … for further ones. */
  readonly suffix: string;
  /** No element has a prefix or a range. */
  readonly exact: boolean;
  /** How many elements there are, for the kernel to choose a hash of the right size. */
  readonly size: string;
  /** Never empty. They do not overlap, as a set of intervals wants it. */
  readonly elements: readonly string[];
}

/** Each list holds only sets that have elements: first the exact ones of all layers, then the rest by layers. */
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

const SETS_SHAPE = {
  list: { fields: { suffix: 'text', exact: 'flag', size: 'text', elements: { list: 'text' } } },
} as const;

/** Its fields, for the check of templates: contexts of templates that print traffic have it. */
export const TRAFFIC_SHAPE = {
  fields: {
    ipv4: SETS_SHAPE,
    ipv6: SETS_SHAPE,
    icmp4: SETS_SHAPE,
    icmp6: SETS_SHAPE,
    xtables: { list: 'text' },
  },
} as const;

type Kind = 'ipv4' | 'ipv6' | 'icmp4' | 'icmp6';

/**
 * `wants`: the fields that the template uses; the others stay empty, because printing takes most of the time.
 */
export function trafficContext(
  ruleSet: RuleSet,
  wants: (field: keyof TrafficContext) => boolean,
): TrafficContext {
  const layers = ruleSet.layers.map((layer) => printLayer(layer, wants));
  const sets = (kind: Kind): readonly SetContext[] => setsOf(layers.map((layer) => layer[kind]));
  return {
    ipv4: sets('ipv4'),
    ipv6: sets('ipv6'),
    icmp4: sets('icmp4'),
    icmp6: sets('icmp6'),
    xtables: wants('xtables') ? ruleSet.layers.flat().flatMap(printXtables) : [],
  };
}

/** What of one layer is of one kind. */
interface Printed {
  readonly exact: string[];
  readonly others: string[];
}

function printLayer(
  layer: readonly Element[],
  wants: (kind: Kind) => boolean,
): Readonly<Record<Kind, Printed>> {
  const none = (): Printed => ({ exact: [], others: [] });
  const printed = { ipv4: none(), ipv6: none(), icmp4: none(), icmp6: none() };
  const wanted = { ipv4: wants('ipv4'), ipv6: wants('ipv6'), icmp4: wants('icmp4'), icmp6: wants('icmp6') };
  for (const element of layer) {
    const kind = kindOf(element);
    if (wanted[kind]) printed[kind][isExact(element) ? 'exact' : 'others'].push(printElement(element));
  }
  return printed;
}

/** One set for all exact elements: two of them are equal or do not overlap, so they need no layers. */
const setsOf = (layers: readonly Printed[]): readonly SetContext[] =>
  [
    setOf('_exact', true, withoutDuplicates(layers.map(({ exact }) => exact))),
    ...layers.map(({ others }, index) => setOf(index === 0 ? '' : `_${index}`, false, others)),
  ].filter(({ elements }) => elements.length > 0);

/** Within one list there are none. */
const withoutDuplicates = (lists: readonly (readonly string[])[]): readonly string[] => {
  const [only, ...more] = lists.filter(({ length }) => length > 0);
  return more.length === 0 ? (only ?? []) : [...new Set(lists.flat())];
};

const setOf = (suffix: string, exact: boolean, elements: readonly string[]): SetContext => ({
  ...{ suffix, exact, elements },
  size: String(elements.length),
});

const isExact = ({ prefix, range }: Element): boolean =>
  prefix.length === WIDTH[prefix.family] && range.first === range.last;

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
