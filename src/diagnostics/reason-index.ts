/**
 * Finds the lines of keys that match a destination, considering protected hosts.
 */
import { contains, type Prefix } from '../net/address.ts';
import { PrefixIndex } from '../net/prefix-index.ts';
import type { RuleMatch } from '../policy/compile.ts';
import { MINIMUM_LENGTH } from '../policy/protected-hosts.ts';
import { type Destination, isFor } from './destination.ts';

export interface HostMatches {
  /** Lines that allow it, the narrowest prefix first. */
  readonly allowing: readonly RuleMatch[];
  /** Lines that would allow it if their prefix were not too broad for a protected host. */
  readonly tooBroad: readonly RuleMatch[];
  /** Lines that name the host, but other traffic. */
  readonly partialMatches: readonly RuleMatch[];
}

export class ReasonIndex {
  readonly #index = new PrefixIndex<RuleMatch>();
  readonly #protectedHosts: readonly Prefix[];

  constructor(reasons: Iterable<RuleMatch>, protectedHosts: readonly Prefix[]) {
    for (const reason of reasons) this.#index.add(reason.entry.prefix, reason);
    this.#protectedHosts = protectedHosts;
  }

  find(destination: Destination): HostMatches {
    const around = this.#index.around(destination.host);
    const isProtected = this.#isProtected(destination.host);
    const isBroad = ({ entry: { prefix } }: RuleMatch) =>
      isProtected && prefix.length < MINIMUM_LENGTH[prefix.family];
    const speaking = around.filter(({ entry }) => isFor(entry, destination));
    return {
      allowing: speaking.filter((reason) => !isBroad(reason)),
      tooBroad: speaking.filter(isBroad),
      partialMatches: around.filter((reason) => !isBroad(reason) && !isFor(reason.entry, destination)),
    };
  }

  /** Lines that allow anything at a host, the narrowest prefix first. */
  at(host: Prefix): readonly RuleMatch[] {
    const isProtected = this.#isProtected(host);
    const isBroad = ({ length, family }: Prefix) => isProtected && length < MINIMUM_LENGTH[family];
    return this.#index.around(host).filter(({ entry }) => !isBroad(entry.prefix));
  }

  #isProtected(host: Prefix): boolean {
    return this.#protectedHosts.some((one) => contains(one, host));
  }
}

/** The first match of each key. */
export const onePerKey = (reasons: readonly RuleMatch[]): readonly RuleMatch[] => {
  const seen = new Set<string>();
  return reasons.filter(({ key }) => !seen.has(key) && seen.add(key));
};
