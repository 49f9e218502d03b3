/**
 * What exists, as all sources tell it at one moment: made once for each sync, and the same for every feature.
 */
import type { Ages, Awaited } from './ages.ts';
import type { Container, ContainerId } from './container.ts';
import type { Namespaces } from './namespace.ts';
import type { Networks } from './network.ts';
import type { Instance } from './service.ts';

export interface Inventory {
  /** Those that run. */
  readonly containers: ReadonlyMap<ContainerId, Container>;
  /** False until all were read that ran when we began: who is not in here may run all the same. */
  readonly isComplete: boolean;
  readonly namespaces: Namespaces;
  /** Those of the Engine; undefined until it has told them. */
  readonly networks: Networks | undefined;
  readonly consul: ConsulSnapshot;
}

export interface ConsulSnapshot {
  /** ACL key → its text; undefined while nothing is known of the rules. */
  readonly rules: ReadonlyMap<string, string> | undefined;
  /** The services that are known among those that features refer to, by name. */
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  readonly ages: Ages;
  readonly awaited: Awaited;
}
