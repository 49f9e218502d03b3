/**
 * Ingress rules in the controller: their feature, and the reconciler's part of it.
 */
import type { Logger } from '../common/logger.ts';
import type { Planned } from '../common/plan.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import { type IngressSnapshot, ingressSnapshot, type Neighbours } from '../diagnostics/ingress-snapshot.ts';
import { type IngressDesired, NOBODY } from '../features/ingress/desired.ts';
import { Ingress, type IngressOptions } from '../features/ingress/ingress.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import { type IngressStatus, ingressStatusOf } from '../features/ingress/status.ts';
import { type IngressView, ingressViewOf } from '../features/ingress/view.ts';
import type { ConsulSnapshot, Inventory } from '../inventory/inventory.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import type { Acl } from '../policy/acl.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords, type Loads } from '../reconciler/load-records.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import { nameOf, type ObservedRules, RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import type { KnownCallers } from './host-rules.ts';
import { IngressCallers } from './ingress-callers.ts';
import type { References } from './inventory-reader.ts';
import { type DeniedReports, rulesetLoader } from './ruleset-loader.ts';

export interface IngressPorts {
  readonly dataplane: Dataplane;
  readonly log: Logger;
  readonly onDrift?: (container: string) => void;
  readonly deniedReports?: DeniedReports | undefined;
  /** The loads of the previous run. */
  readonly previousIngressLoads?: Loads | undefined;
  /** Called with all loads after a change. */
  readonly persistIngressLoads?: (loads: Loads) => void;
}

export class IngressRules {
  readonly #feature: Ingress;
  readonly #node: string | undefined;
  readonly #loads: LoadRecords;
  readonly #callers = new IngressCallers();
  readonly #states: FeatureReconciler<IngressDesired, ObservedRules>;

  constructor(options: IngressOptions, reconciler: Reconciler, ports: IngressPorts) {
    const { dataplane, log, onDrift, deniedReports } = ports;
    this.#feature = new Ingress(options);
    this.#node = options.node;
    this.#loads = new LoadRecords(ports.previousIngressLoads, (loads) => ports.persistIngressLoads?.(loads));
    const context = {
      loader: rulesetLoader(dataplane, undefined, deniedReports),
      records: this.#loads,
      log,
    };
    const driver = new RulesetDriver(this.#feature, { ...context, onDrift: (one) => onDrift?.(nameOf(one)) });
    this.#states = reconciler.add(driver, rulesetReports(this.#feature, context));
  }

  references(inventory: Inventory): References {
    const services = this.#feature.references(inventory);
    return { services, ingress: this.#feature.isWanted };
  }

  /** Call `references` for the same containers first. */
  sync(inventory: Inventory): void {
    const { namespaces, isComplete } = inventory;
    const plan = new Map(this.#feature.plan(inventory));
    this.#callers.update([...plan.values()].map(({ desired }) => desired));
    if (isComplete) this.#releaseUnnamed(plan, namespaces);
    this.#states.sync(plan, (name) => namespaces.has(name));
    if (isComplete) this.#loads.retain(new Set(namespaces.keys()));
  }

  /** For the ports guard, as of the last sync. */
  get callers(): KnownCallers {
    return this.#callers;
  }

  namespaces(): readonly IngressNamespace[] {
    return this.#wanted().map(({ desired }) => desired.namespace);
  }

  /** The namespaces with rules, as far as known. */
  loadedNamespaces(): readonly IngressNamespace[] {
    return [...this.#states.states()].flatMap(({ desired, observed }) =>
      observed?.loaded.fingerprint === undefined ? [] : [desired.namespace],
    );
  }

  status(): readonly IngressStatus[] {
    return this.#wanted().map(ingressStatusOf);
  }

  views(): readonly IngressView[] {
    return this.#wanted().map(ingressViewOf);
  }

  /** The keys as they are known; undefined until they are read. */
  aclOf(consul: Pick<ConsulSnapshot, 'ingress'>): Acl | undefined {
    return this.#feature.aclOf(consul);
  }

  /** With these keys. */
  snapshot(acl: Acl, here: Omit<Neighbours, 'node'>): IngressSnapshot {
    return ingressSnapshot(acl, this.namespaces(), { node: this.#node, ...here });
  }

  get unsupported(): Ingress['unsupported'] {
    return this.#feature.unsupported;
  }

  /** Without those whose last container with keys has gone, and whose rules with it. */
  #wanted() {
    return [...this.#states.states()].filter(({ condition }) => condition !== 'released');
  }

  /** The last container that named keys may have gone while no controller ran. */
  #releaseUnnamed(
    plan: Map<NamespaceId, Planned<IngressDesired>>,
    namespaces: Inventory['namespaces'],
  ): void {
    for (const id of this.#loads.ids()) {
      const one = namespaces.get(id);
      if (plan.has(id) || one?.kind !== 'container') continue;
      const namespace = { ...one, members: [], keys: [], runnerKeys: [], mode: 'enforce' } as const;
      plan.set(id, { kind: 'release', desired: { namespace, rules: NOBODY } });
    }
  }
}
