/**
 * What an explanation is made from.
 */
import type { NamesReport } from '../features/names/name-report.ts';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import type { Catalog } from '../policy/compile.ts';

/** Everything that decides about the traffic of one namespace. */
export interface PolicyView {
  readonly grants: readonly string[];
  readonly acl: Acl;
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  readonly resolvers: readonly string[];
  /** What is known of its names; undefined without a controller, or where nobody answers them. */
  readonly names?: NamesReport | undefined;
  /** False where the answer is made without one. */
  readonly hasController?: boolean;
  /** A denylist: only the destinations of keys that are not granted are denied (see the template of that name). */
  readonly denylist?: boolean;
}
