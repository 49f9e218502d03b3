/**
 * What a container asks for: its environment and labels, read into a workload.
 */
import type { Problem } from './problem.ts';

/** `audit` counts and records what it would refuse, and lets it pass. */
export type Mode = 'enforce' | 'audit';

/** `resolvers`: port 53 of the container's own resolvers. `none`: no name resolution at all. */
export type DnsPolicy = 'resolvers' | 'none';

/** A container with EGRESSTRATOR_ENABLE=1 (or the label that says the same). */
export interface Workload {
  /** The ACL keys it asks for, in its own order, without duplicates. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  readonly problems: readonly Problem[];
}
