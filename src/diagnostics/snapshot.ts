/**
 * The data from which questions are answered. A controller makes it from what it watches; a command without a
 * controller reads Consul and the Engine.
 */

import type { NamespaceState } from '../features/egress/states.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import type { Catalog } from '../policy/compile.ts';
import type { HostView } from './host-view.ts';
import type { IngressSnapshot } from './ingress-snapshot.ts';

/** A namespace that has rules, or should have them. */
export interface NamespaceView {
  readonly id: string;
  /** Names and ids of the workloads inside, in the same order. */
  readonly workloads: readonly string[];
  readonly ids: readonly string[];
  /** The container whose namespace it is. */
  readonly target: string;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Undefined without a controller. */
  readonly state?: NamespaceState | undefined;
  /** Undefined until they are read. */
  readonly resolvers?: readonly string[] | undefined;
  /** What is known of its names; undefined without a controller, or where nobody answers them. */
  readonly names?: NamesReport | undefined;
  /** Foreign rules deny packets there as well; undefined without a controller. */
  readonly hasForeignRules?: boolean | undefined;
}

export interface UnsupportedView {
  readonly name: string;
  readonly id: string;
  readonly reason: string;
}

export interface Snapshot {
  readonly acl: Acl;
  readonly catalog: Catalog;
  /** Services that could not be read, and the reasons; a reason is undefined if there were too many to read. */
  readonly unread: ReadonlyMap<string, string | undefined>;
  readonly protectedHosts: readonly Prefix[];
  /** Undefined if not known. */
  readonly namespaces: readonly NamespaceView[] | undefined;
  /** Workloads that cannot have rules. */
  readonly unsupported: readonly UnsupportedView[];
  /** Names of containers that name keys without EGRESSTRATOR_ENABLE=1. */
  readonly notEnabled: readonly string[];
  /** Undefined if no container names ingress keys, or they were not read. */
  readonly ingress?: IngressSnapshot | undefined;
  /** The host's rules; undefined without a controller. */
  readonly host?: HostView | undefined;
  /** Its name or path. */
  readonly template: string;
  /** The folder of the keys in Consul, with a slash at its end. */
  readonly kvPath: string;
  /** The same of the ingress keys. */
  readonly ingressPath: string;
  /** The template denies only destinations of keys that are not granted. */
  readonly denylist: boolean;
  /** True if the template records denied destinations. */
  readonly recordsDenied: boolean;
}
