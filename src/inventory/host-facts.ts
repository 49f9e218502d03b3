/**
 * What the Engine's host has of its own, as far as networks of containers may collide with it or need it.
 */
import type { Family, Prefix } from '../net/address.ts';

/** A route, but for the default ones. */
export interface HostRoute {
  readonly prefix: Prefix;
  readonly device: string;
}

export interface HostFacts {
  readonly devices: ReadonlySet<string>;
  readonly routes: readonly HostRoute[];
  /** The families that it forwards. */
  readonly forwards: readonly Family[];
}
