/**
 * Which lines of which keys speak of a destination, with the protection of single hosts considered.
 */
import { contains, type Prefix } from '../address.ts';
import { MINIMUM_LENGTH } from '../protect.ts';
import type { Reason } from '../resolve.ts';
import { type Destination, isFor } from './destination.ts';
import { PrefixIndex } from './prefix-index.ts';

export interface Findings {
  /** Lines that allow it, the narrowest prefix first. */
  readonly allowing: readonly Reason[];
  /** Lines that would, if their prefix were not too broad to mean a protected host. */
  readonly tooBroad: readonly Reason[];
  /** Lines that name the host, and other traffic. */
  readonly near: readonly Reason[];
}

export class ReasonIndex {
  readonly #index = new PrefixIndex<Reason>();
  readonly #protectedHosts: readonly Prefix[];

  constructor(reasons: Iterable<Reason>, protectedHosts: readonly Prefix[]) {
    for (const reason of reasons) this.#index.add(reason.allowance.prefix, reason);
    this.#protectedHosts = protectedHosts;
  }

  find(destination: Destination): Findings {
    const around = this.#index.around(destination.host);
    const isProtected = this.#isProtected(destination.host);
    const isBroad = ({ allowance: { prefix } }: Reason) =>
      isProtected && prefix.length < MINIMUM_LENGTH[prefix.family];
    const speaking = around.filter(({ allowance }) => isFor(allowance, destination));
    return {
      allowing: speaking.filter((reason) => !isBroad(reason)),
      tooBroad: speaking.filter(isBroad),
      near: around.filter((reason) => !isBroad(reason) && !isFor(reason.allowance, destination)),
    };
  }

  /** Lines that allow anything at a host, the narrowest prefix first. */
  at(host: Prefix): readonly Reason[] {
    const isProtected = this.#isProtected(host);
    const isBroad = ({ length, family }: Prefix) => isProtected && length < MINIMUM_LENGTH[family];
    return this.#index.around(host).filter(({ allowance }) => !isBroad(allowance.prefix));
  }

  #isProtected(host: Prefix): boolean {
    return this.#protectedHosts.some((one) => contains(one, host));
  }
}
