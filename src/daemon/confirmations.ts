/**
 * When each source was last confirmed, in ms by the controller's clock. Times only go forward, and those of the
 * previous run count until there are newer ones.
 *
 * A query that waits without an error while the rules are confirmed counts as confirmed with them: with hundreds of
 * services one may wait for ten minutes, and the query of the rules detects a Consul that does not answer. That holds
 * only for the agent's own datacenter.
 */
import type { ServiceRef } from '../inventory/service.ts';
import type { Watched } from '../inventory/sources.ts';

export interface ConfirmedAt {
  /** Undefined: not known. */
  readonly rules: number | undefined;
  readonly ingress?: number | undefined;
  /** By name; one that is not in here is not known. */
  readonly services: ReadonlyMap<string, number>;
}

/** A watch of a service, and what it watches. */
export interface WatchedService {
  readonly ref: ServiceRef;
  readonly watched: Watched<unknown>;
}

export class Confirmations {
  #rules: number | undefined;
  #ingress: number | undefined;
  readonly #services: Map<string, number>;

  constructor(previous: ConfirmedAt | undefined) {
    this.#rules = previous?.rules;
    this.#ingress = previous?.ingress;
    this.#services = new Map(previous?.services);
  }

  get rules(): number | undefined {
    return this.#rules;
  }

  /** Of the ingress keys. */
  get ingress(): number | undefined {
    return this.#ingress;
  }

  service(name: string): number | undefined {
    return this.#services.get(name);
  }

  /** Updates the times from the watches. */
  update(rules: Watched<unknown>, services: ReadonlyMap<string, WatchedService>): void {
    this.#rules = later(this.#rules, rules.confirmedAt);
    for (const [name, { ref, watched }] of services) {
      const isHanging = watched.value !== undefined && watched.error === undefined;
      const byRules = isHanging && ref.datacenter === undefined ? rules.confirmedAt : undefined;
      const at = later(later(this.#services.get(name), watched.confirmedAt), byRules);
      if (at !== undefined) this.#services.set(name, at);
    }
  }

  updateIngress(keys: Watched<unknown>): void {
    this.#ingress = later(this.#ingress, keys.confirmedAt);
  }

  forget(name: string): void {
    this.#services.delete(name);
  }
}

const later = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
