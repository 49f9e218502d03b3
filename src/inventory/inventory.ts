/**
 * Everything that exists, from all sources, at one moment. Made once for each sync, and the same for every feature.
 */
import type { Ages, Awaited } from './ages.ts';
import type { Container, ContainerId } from './container.ts';
import type { Namespaces } from './namespace.ts';
import type { Networks } from './network.ts';
import type { Instance, NodeService } from './service.ts';

export interface Inventory {
  /** The running containers. */
  readonly containers: ReadonlyMap<ContainerId, Container>;
  /** False until all containers that ran at our start have been read: a missing one may still run. */
  readonly isComplete: boolean;
  readonly namespaces: Namespaces;
  /** The Engine's networks; undefined until they are listed. */
  readonly networks: Networks | undefined;
  readonly consul: ConsulSnapshot;
  /** What is known of the Engine itself; undefined where nobody asks. */
  readonly engine?: EngineFacts | undefined;
}

export interface EngineFacts {
  /** Whether it makes rules for published ports itself; undefined until its host's rules were read. */
  readonly managesFirewall: boolean | undefined;
}

export interface ConsulSnapshot {
  /** ACL key → its text; undefined while nothing is known of the rules. */
  readonly rules: ReadonlyMap<string, string> | undefined;
  /** Ingress key → its text; undefined while nothing is known of them, or no container names one. */
  readonly ingress?: ReadonlyMap<string, string> | undefined;
  /** The services that are known among those that features refer to, by name. */
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  /** Those of this node; undefined while nothing is known of them, or nobody asks. */
  readonly nodeServices?: readonly NodeService[] | undefined;
  readonly ages: Ages;
  readonly awaited: Awaited;
}
