/**
 * What is known at one moment: the material from which questions about it are answered. A controller makes it of
 * what it watches; a command without a controller reads it from Consul and the Engine.
 */

import type { NamespaceState } from '../features/egress/states.ts';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import type { Catalog } from '../policy/compile.ts';

/** One namespace that holds rules, or should. */
export interface NamespaceView {
  readonly id: string;
  /** Names and ids of the workloads inside, in the same order. */
  readonly workloads: readonly string[];
  readonly ids: readonly string[];
  /** The container through which it is entered. */
  readonly target: string;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Undefined where no controller tells it. */
  readonly state?: NamespaceState | undefined;
  /** Undefined while they were not read. */
  readonly resolvers?: readonly string[] | undefined;
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
  /** Services of which nothing could be learned, and why; undefined: there are too many to read. */
  readonly unread: ReadonlyMap<string, string | undefined>;
  readonly protectedHosts: readonly Prefix[];
  /** Undefined where nobody could tell them. */
  readonly namespaces: readonly NamespaceView[] | undefined;
  /** Workloads that can hold no rules. */
  readonly unsupported: readonly UnsupportedView[];
  /** Names of containers that name keys and do not ask for rules. */
  readonly notEnabled: readonly string[];
  /** Its name or path. */
  readonly template: string;
  /** Where the keys are in Consul, with a slash at its end. */
  readonly kvPath: string;
  /** The template denies only destinations of keys that are not granted. */
  readonly denylist: boolean;
  /** What is loaded keeps denied destinations, so that they can be told. */
  readonly recordsDenied: boolean;
}
