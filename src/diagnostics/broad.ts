/**
 * Recognises rules that are broader than their author can have intended.
 */
import type { AllowEntry } from '../policy/rule-set.ts';
import { everything } from '../policy/traffic.ts';

/**
 * Prefixes shorter than `anything` are broad whatever the ports, those shorter than `allPorts` are if
 * a rule allows all ports: a /8 is the largest private network, a /16 (/48) a site.
 */
const BROAD = {
  4: { anything: 8, allPorts: 16 },
  6: { anything: 16, allPorts: 48 },
} as const;

/** True if a rule, or the rule of a match, deserves a warning. */
export const isBroad = ({ entry }: { readonly entry: AllowEntry }): boolean => {
  const { prefix, protocol } = entry;
  const { anything, allPorts } = BROAD[prefix.family];
  const whole = protocol !== 'icmp' && isAllPorts(entry);
  return prefix.length < anything || (whole && prefix.length < allPorts);
};

/** Port 0 is not used, so 1-65535 are all. */
export const isAllPorts = ({ protocol, ranges }: AllowEntry): boolean => {
  const [all] = everything(protocol);
  const [only] = ranges;
  return only !== undefined && only.first <= 1 && only.last === all?.last;
};
