/**
 * The known data of Consul: the rules, and the services that granted keys refer to.
 *
 * There is a watch for each service while a key refers to it. Until its first answer, the last known instances
 * count, from an earlier watch or the previous run: a container that restarts does not wait for Consul, and gets
 * its rules even if Consul is down.
 */

import type { Awaited } from '../inventory/ages.ts';
import { type Instance, type NodeService, type ServiceRef, serviceName } from '../inventory/service.ts';
import type { RuleSource, Watched } from '../inventory/sources.ts';
import type { Catalog } from '../policy/compile.ts';
import { Confirmations, type ConfirmedAt } from './confirmations.ts';
import { type Freshness, freshnessOf, isAwaited } from './freshness.ts';
import { type NodeServices, NodeServicesCache } from './node-services.ts';

/** The state on disk, so that a controller that starts while Consul is down still protects. */
export interface LastKnownState {
  readonly rules: ReadonlyMap<string, string>;
  /** The ingress keys; undefined if they were never read. */
  readonly ingress?: ReadonlyMap<string, string> | undefined;
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  readonly confirmedAt: ConfirmedAt;
  /** Missing if they are not known, or were of another boot: addresses may belong to others since. */
  readonly nodeServices?: NodeServices | undefined;
}

/** The name of their source. */
export const INGRESS_KEYS = 'ingress keys';

export interface ConsulCacheOptions {
  readonly now: () => number;
  /** Whose services are watched, whatever keys refer to; undefined: nobody's. */
  readonly node: string | undefined;
}

interface FollowedKeys {
  readonly since: number;
  readonly watched: Watched<ReadonlyMap<string, string>>;
}

interface Followed {
  readonly ref: ServiceRef;
  readonly since: number;
  readonly watched: Watched<readonly Instance[]>;
}

export class ConsulCache {
  readonly #source: RuleSource;
  readonly #onChange: () => void;
  readonly #now: () => number;
  readonly #since: number;
  readonly #previousRules: ReadonlyMap<string, string> | undefined;
  readonly #previousIngress: ReadonlyMap<string, string> | undefined;
  readonly #rules: Watched<ReadonlyMap<string, string>>;
  /** Undefined until a container names ingress keys. */
  #ingress: FollowedKeys | undefined;
  readonly #services = new Map<string, Followed>();
  /** Of services that are not watched, or whose watch has not answered yet. */
  readonly #lastKnown: Map<string, readonly Instance[]>;
  readonly #confirmations: Confirmations;
  readonly #nodeServices: NodeServicesCache | undefined;

  constructor(
    source: RuleSource,
    previous: LastKnownState | undefined,
    { now, node }: ConsulCacheOptions,
    onChange: () => void,
  ) {
    this.#source = source;
    this.#now = now;
    this.#since = now();
    const nodeOptions = { previous: previous?.nodeServices, since: this.#since, onChange };
    this.#nodeServices = node === undefined ? undefined : new NodeServicesCache(source, node, nodeOptions);
    this.#previousRules = previous?.rules;
    this.#previousIngress = previous?.ingress;
    this.#lastKnown = new Map(previous?.services);
    this.#confirmations = new Confirmations(previous?.confirmedAt);
    this.#onChange = onChange;
    this.#rules = source.watchRules(onChange, previous?.rules);
  }

  /** ACL key → its text; undefined until they are read. */
  rules(): ReadonlyMap<string, string> | undefined {
    return this.#rules.value ?? this.#previousRules;
  }

  /** Ingress key → its text; undefined until they are read. */
  ingress(): ReadonlyMap<string, string> | undefined {
    return this.#ingress?.watched.value ?? this.#previousIngress;
  }

  /** Watches the ingress keys from now on. */
  followIngress(): void {
    this.#ingress ??= {
      since: this.#now(),
      watched: this.#source.watchRules(this.#onChange, this.#previousIngress, 'ingress'),
    };
  }

  /** The services that are known among those followed. */
  catalog(): Catalog {
    const catalog = new Map<string, readonly Instance[]>();
    for (const [name, { watched }] of this.#services) {
      const instances = watched.value ?? this.#lastKnown.get(name);
      if (instances !== undefined) catalog.set(name, instances);
    }
    return catalog;
  }

  /** The services of this node; undefined until they are known. */
  nodeServices(): readonly NodeService[] | undefined {
    return this.#nodeServices?.value;
  }

  /** Undefined if they are not watched. */
  nodeServicesFreshness(): Freshness | undefined {
    return this.#nodeServices?.freshness();
  }

  /** Watches exactly these services from now on. */
  follow(refs: readonly ServiceRef[]): void {
    const wanted = new Map(refs.map((ref) => [serviceName(ref), ref]));
    this.#confirm();
    for (const [name, { watched }] of this.#services) {
      if (wanted.has(name)) continue;
      if (watched.value !== undefined) this.#keepLastKnown(name, watched.value);
      watched.close();
      this.#services.delete(name);
    }
    for (const [name, ref] of wanted) {
      if (this.#services.has(name)) continue;
      const known = this.#lastKnown.get(name);
      const watched = this.#source.watchService(ref, this.#onChange, known);
      this.#services.set(name, { ref, since: this.#now(), watched });
    }
  }

  /** The sources that may give their first answer in a moment; `grace`: milliseconds that they may take. */
  awaited(grace: number): Awaited {
    const now = this.#now();
    const services = [...this.#services].filter(([, one]) => isAwaited(one, { grace, now }));
    const rules = isAwaited({ watched: this.#rules, since: this.#since }, { grace, now });
    const ingress = this.#ingress !== undefined && isAwaited(this.#ingress, { grace, now });
    return { rules, ingress, services: new Set(services.map(([name]) => name)) };
  }

  freshness(): readonly Freshness[] {
    const times = this.#confirmations;
    this.#confirm();
    const services = [...this.#services].map(([name, { watched, since }]) => ({
      ...freshnessOf(watched, times.service(name)),
      ...{ name: `service ${name}`, since },
    }));
    return [
      { name: 'rules', ...freshnessOf(this.#rules, times.rules), since: this.#since },
      ...this.#ingressFreshness(),
      ...services,
    ];
  }

  /** The state for the disk; undefined while the rules are not known. */
  state(): LastKnownState | undefined {
    const rules = this.rules();
    if (rules === undefined) return undefined;
    const services = this.catalog();
    this.#confirm();
    const confirmedAt = this.#confirmedAt(services.keys());
    const nodeServices = this.#nodeServices?.state();
    return { rules, ingress: this.ingress(), services, confirmedAt, nodeServices };
  }

  close(): void {
    this.#rules.close();
    this.#ingress?.watched.close();
    this.#nodeServices?.close();
    this.follow([]);
  }

  #ingressFreshness(): readonly Freshness[] {
    if (this.#ingress === undefined) return [];
    const { watched, since } = this.#ingress;
    return [{ name: INGRESS_KEYS, ...freshnessOf(watched, this.#confirmations.ingress), since }];
  }

  #confirm(): void {
    this.#confirmations.update(this.#rules, this.#services);
    if (this.#ingress !== undefined) this.#confirmations.updateIngress(this.#ingress.watched);
  }

  #confirmedAt(names: Iterable<string>): ConfirmedAt {
    const { rules, ingress } = this.#confirmations;
    const times = [...names].flatMap((name) => {
      const at = this.#confirmations.service(name);
      return at === undefined ? [] : [[name, at] as const];
    });
    return { rules, ...(ingress !== undefined && { ingress }), services: new Map(times) };
  }

  /** The ones unused for longest are removed first. */
  #keepLastKnown(name: string, instances: readonly Instance[]): void {
    this.#lastKnown.delete(name);
    this.#lastKnown.set(name, instances);
    const [oldest] = this.#lastKnown.keys();
    if (this.#lastKnown.size <= MOST_KEPT || oldest === undefined) return;
    this.#lastKnown.delete(oldest);
    if (!this.#services.has(oldest)) this.#confirmations.forget(oldest);
  }
}

/** The most services whose instances are kept while no key refers to them. */
const MOST_KEPT = 1000;
