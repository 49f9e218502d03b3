/**
 * Which addresses a rule by name grants. A name is somebody else's word: whoever controls its zone chooses the address,
 * so without `@` only public addresses count, and some never do.
 */
import { contains, formatPrefix, type Prefix, WIDTH } from '../../net/address.ts';
import { neverByName, type SpecialPrefix, unwrap, whyNotPublic } from '../../net/special-addresses.ts';
import type { NameRule } from '../../policy/name-rule.ts';

/** Addresses of this host that no name may lead to: its own, Consul's, Docker's gateways, and the protected hosts. */
export class NeverGranted {
  readonly #hosts = new Map<string, string>();
  readonly #prefixes: readonly SpecialPrefix[];

  constructor(special: readonly SpecialPrefix[]) {
    const isHost = ({ prefix }: SpecialPrefix): boolean => prefix.length === WIDTH[prefix.family];
    for (const { prefix, meaning } of special.filter(isHost)) this.#hosts.set(keyOf(prefix), meaning);
    this.#prefixes = special.filter((one) => !isHost(one));
  }

  /** What the address is, if no name may lead to it. */
  meaningOf(address: Prefix): string | undefined {
    return (
      neverByName(address) ??
      this.#hosts.get(keyOf(address)) ??
      this.#prefixes.find(({ prefix }) => contains(prefix, address))?.meaning
    );
  }
}

const keyOf = ({ family, address }: Prefix): string => `${family} ${address}`;

/** Forms of IPv4 in IPv6 that no packet on a network has: a socket turns them into IPv4, past a set of IPv6. */
const LOCAL_FORMS: ReadonlySet<string> = new Set(['IPv4-mapped', 'IPv4-compatible', 'translated IPv4']);

/**
 * Why a rule does not grant an address that a name resolves to; undefined if it does. An address that stands for one of
 * IPv4 is decided by that one as well.
 */
export const whyNotGranted = (
  address: Prefix,
  { prefixes }: Pick<NameRule, 'prefixes'>,
  never: NeverGranted,
): string | undefined => {
  const { address: inner, by } = unwrap(address);
  const meaning = never.meaningOf(address) ?? (by === undefined ? undefined : never.meaningOf(inner));
  if (meaning !== undefined) return `it is ${describe(inner, by, meaning)}`;
  if (by !== undefined && LOCAL_FORMS.has(by)) return `it has the form ${by}, which is for no network`;
  if (prefixes.length > 0) return whyOutside([address, inner], prefixes);
  const special = by === undefined ? whyNotPublic(address) : whyNotPublic(inner);
  return special === undefined
    ? undefined
    : `it is ${describe(inner, by, special)}, and the rule names no prefix with "@"`;
};

const whyOutside = (addresses: readonly Prefix[], prefixes: readonly Prefix[]): string | undefined =>
  prefixes.some((prefix) => addresses.some((address) => contains(prefix, address)))
    ? undefined
    : `it is not in ${prefixes.map(formatPrefix).join(' or ')}`;

const describe = (inner: Prefix, by: string | undefined, meaning: string): string =>
  by === undefined ? meaning : `${formatPrefix(inner)} by ${by}, which is ${meaning}`;
