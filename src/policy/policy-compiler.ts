/**
 * Compiles grants, once for each distinct list, and again only when their keys or services have changed: a thousand
 * workloads with equal grants cost one compilation, and an edit of a key costs nothing for workloads without it.
 */

import type { Direction } from '../common/direction.ts';
import { serviceName } from '../inventory/service.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from './acl.ts';
import { type Catalog, type CompiledPolicy, compile, grantedKeys, servicesOf } from './compile.ts';

interface Memo {
  /** The parsed keys and instance lists that the policy was compiled from, by identity. */
  readonly inputs: readonly unknown[];
  readonly policy: CompiledPolicy;
}

export class PolicyCompiler {
  readonly #protectedHosts: readonly Prefix[];
  readonly #closed: PolicyCompiler | undefined;
  #memos = new Map<string, Memo>();
  #used = new Map<string, Memo>();

  readonly #direction: Direction;

  constructor(protectedHosts: readonly Prefix[], direction: Direction = 'egress') {
    this.#direction = direction;
    this.#protectedHosts = protectedHosts;
    this.#closed = protectedHosts.length === 0 ? undefined : new PolicyCompiler([]);
  }

  /**
   * The destinations that a denylist closes. Protected addresses stay in: to exclude them here would open them.
   */
  compileClosed(keys: readonly string[], acl: Acl, catalog: Catalog): CompiledPolicy {
    return (this.#closed ?? this).compile(keys, acl, catalog);
  }

  /** Equal inputs return the identical object, unless a `sweep` happens between. */
  compile(grants: readonly string[], acl: Acl, catalog: Catalog): CompiledPolicy {
    const id = JSON.stringify(grants);
    const inputs = inputsOf(grants, acl, catalog);
    const known = this.#memos.get(id);
    const memo =
      known !== undefined && sameItems(known.inputs, inputs)
        ? known
        : { inputs, policy: compile(grants, acl, catalog, this.#protectedHosts, this.#direction) };
    this.#memos.set(id, memo);
    this.#used.set(id, memo);
    return memo.policy;
  }

  /** Removes policies that were not used since the last sweep. */
  sweep(): void {
    this.#memos = this.#used;
    this.#used = new Map();
    this.#closed?.sweep();
  }
}

function inputsOf(grants: readonly string[], acl: Acl, catalog: Catalog): readonly unknown[] {
  const services = servicesOf(grantedKeys(grants, acl)).map((ref) => catalog.get(serviceName(ref)));
  return [...grants.map((grant) => acl.get(grant)), ...services];
}

const sameItems = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);
