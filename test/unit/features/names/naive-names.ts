/**
 * The policy by name once more, as simply as it can be written: texts, loops over all rules, and another library's
 * opinion of addresses. The tests compare the real one with it.
 */
import ipaddr from 'ipaddr.js';

export interface NaiveRule {
  readonly text: string;
  /** `*`, `**` or the first label, and the others. */
  readonly labels: readonly string[];
  readonly prefixes: readonly string[];
  readonly portClass: string;
}

export const naiveRule = (text: string): NaiveRule => {
  const [, name = '', place, portClass = ''] = /^([^@:]+)(?:@(.+))?:((?:tcp|udp)\/[\d,-]+)$/.exec(text) ?? [];
  const prefixes = place === undefined ? [] : place.replace(/[[\]]/g, '').split(',');
  return { text, labels: name.split('.'), prefixes, portClass };
};

export const naiveMatch = (
  { labels: [first = '', ...rest] }: NaiveRule,
  asked: readonly string[],
): boolean => {
  const lower = asked.map((label) => label.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  const ends = (extra: number): boolean =>
    lower.length === rest.length + extra && rest.every((label, index) => lower[index + extra] === label);
  if (first === '*') return ends(1);
  if (first === '**') return lower.some((_, index) => index > 0 && ends(index));
  return ends(1) && lower[0] === first;
};

const NEVER = ['loopback', 'linkLocal', 'multicast', 'unspecified', 'broadcast'];

/** `own`: addresses of this host. */
export const naiveGrants = (rule: NaiveRule, text: string, own: readonly string[]): boolean => {
  const address = ipaddr.parse(text);
  const inner = embedded(address);
  if (address.range() === 'ipv4Mapped') return false;
  if ([address, inner].some((one) => NEVER.includes(one.range()) || own.includes(one.toString())))
    return false;
  if (rule.prefixes.length === 0) return inner.range() === 'unicast';
  return rule.prefixes.some((prefix) => [address, inner].some((one) => isIn(one, prefix)));
};

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const embedded = (address: Address): Address => {
  const bytes = address.toByteArray();
  if (address.range() === 'rfc6052' || address.range() === 'ipv4Mapped')
    return ipaddr.fromByteArray(bytes.slice(12));
  return address.range() === '6to4' ? ipaddr.fromByteArray(bytes.slice(2, 6)) : address;
};

const isIn = (address: Address, prefix: string): boolean => {
  const [base, length] = ipaddr.parseCIDR(prefix);
  return address.kind() === base.kind() && address.match(base, length);
};
