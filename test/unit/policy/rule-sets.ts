/**
 * What a rule set allows, and a rule set as a text: what tests ask of it.
 */
import { contains, formatPrefix, type Prefix } from '../../../src/net/address.ts';
import { formatRange } from '../../../src/net/ranges.ts';
import type { Element, RuleSet } from '../../../src/policy/rule-set.ts';
import type { Protocol } from '../../../src/policy/traffic.ts';

/** Whether traffic to a host is allowed; `port` is the type for ICMP. */
export const allows = (ruleSet: RuleSet, host: Prefix, protocol: Protocol, port: number): boolean =>
  ruleSet.layers.some((layer) =>
    layer.some(
      (element) =>
        element.protocol === protocol &&
        element.range.first <= port &&
        port <= element.range.last &&
        contains(element.prefix, host),
    ),
  );

/** One line per element, the layer first: equal texts are equal rule sets. */
export const serialize = (ruleSet: RuleSet): string =>
  ruleSet.layers
    .flatMap((layer, index) => layer.map((element) => `${index} ${formatElement(element)}\n`))
    .join('');

const formatElement = ({ prefix, protocol, range }: Element): string =>
  `${formatPrefix(prefix)} ${protocol} ${formatRange(range)}`;
