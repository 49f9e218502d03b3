/**
 * Resolves grants, once for each distinct list of them and only when what they refer to has changed:
 * a thousand workloads with the same grants cost one resolution, and an edit of a key costs nothing
 * to those who do not hold it.
 */

import { serviceName } from '../inventory/service.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from './acl.ts';
import { type Catalog, type CompiledPolicy, compile, grantedKeys, servicesOf } from './compile.ts';

interface Memo {
  /** The parsed keys and instance lists the resolution was made from, by identity. */
  readonly inputs: readonly unknown[];
  readonly resolution: CompiledPolicy;
}

export class PolicyCompiler {
  readonly #protectedHosts: readonly Prefix[];
  readonly #closed: PolicyCompiler | undefined;
  #memos = new Map<string, Memo>();
  #used = new Map<string, Memo>();

  constructor(protectedHosts: readonly Prefix[]) {
    this.#protectedHosts = protectedHosts;
    this.#closed = protectedHosts.length === 0 ? undefined : new PolicyCompiler([]);
  }

  /**
   * What a denylist closes: all that these keys name. Protection keeps addresses from being granted by
   * accident; to leave them out here would open them.
   */
  compileClosed(keys: readonly string[], acl: Acl, catalog: Catalog): CompiledPolicy {
    return (this.#closed ?? this).compile(keys, acl, catalog);
  }

  /** Equal inputs give the identical resolution, as long as no `sweep` passes between their uses. */
  compile(grants: readonly string[], acl: Acl, catalog: Catalog): CompiledPolicy {
    const id = JSON.stringify(grants);
    const inputs = inputsOf(grants, acl, catalog);
    const known = this.#memos.get(id);
    const memo =
      known !== undefined && sameItems(known.inputs, inputs)
        ? known
        : { inputs, resolution: compile(grants, acl, catalog, this.#protectedHosts) };
    this.#memos.set(id, memo);
    this.#used.set(id, memo);
    return memo.resolution;
  }

  /** Forgets what was not asked for since the last sweep. */
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
