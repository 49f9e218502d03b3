/**
 * The egress rules of workloads in the controller: their feature, and the reconciler's part of it.
 */
import type { Backoff } from '../common/backoff.ts';
import type { Logger } from '../common/logger.ts';
import type { Plan } from '../common/plan.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { EgressDesired } from '../features/egress/desired.ts';
import { Egress, type EgressOptions } from '../features/egress/egress.ts';
import { recordsDenied } from '../features/egress/facts.ts';
import type { Gate } from '../features/egress/gate.ts';
import { dnsOf } from '../features/egress/name-rules.ts';
import type { Override, PersistedOverrides } from '../features/egress/overrides.ts';
import type { NamespaceStatus } from '../features/egress/status.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import { namesProblems, namesSummary } from '../features/names/summary.ts';
import type { Container } from '../inventory/container.ts';
import type { ConsulSnapshot, Inventory } from '../inventory/inventory.ts';
import type { ServiceRef } from '../inventory/service.ts';
import type { ContainerSource } from '../inventory/sources.ts';
import type { Acl } from '../policy/acl.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords, type Loads } from '../reconciler/load-records.ts';
import type { Reconciler, ReconcilerOptions } from '../reconciler/reconciler.ts';
import { nameOf, type ObservedRules, RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import { NameRules, type NamesPorts, type WantedNamespace } from './name-rules.ts';
import { type DeniedReports, rulesetLoader } from './ruleset-loader.ts';
import { type Containers, containersOf, templateFacts } from './snapshot.ts';
import type { Status } from './status.ts';

export interface WorkloadRulesOptions
  extends Pick<EgressOptions, 'template' | 'protectedHosts' | 'mode' | 'prepare' | 'grace'>,
    Pick<ReconcilerOptions, 'random' | 'now'> {
  readonly retry: Backoff;
}

export interface WorkloadRulesPorts {
  readonly dataplane: Dataplane;
  readonly containers: ContainerSource;
  /** The gate, if this host may have one. */
  readonly gate?: Gate | undefined;
  readonly log: Logger;
  /** Called when the next sync may know more. */
  readonly requestSync: () => void;
  /** Called when rules in a kernel were found changed, with the container's name. */
  readonly onDrift?: (container: string) => void;
  /** Gets the denied destinations that loads and inspections read. */
  readonly deniedReports?: DeniedReports | undefined;
  /** The loads of the previous run. */
  readonly previousLoads?: Loads | undefined;
  /** Called with all loads after a change. */
  readonly persistLoads?: (loads: Loads) => void;
  /** The overrides of the previous run. */
  readonly previousOverrides?: PersistedOverrides | undefined;
  /** Called with all overrides after a change. */
  readonly persistOverrides?: (overrides: PersistedOverrides) => void;
  /** What answers names; undefined: nothing does. */
  readonly names?: NamesPorts | undefined;
}

export class WorkloadRules {
  readonly #feature: Egress;
  readonly #loads: LoadRecords;
  readonly #states: FeatureReconciler<EgressDesired, ObservedRules>;
  readonly #names: NameRules | undefined;
  #rawSockets = false;

  constructor(options: WorkloadRulesOptions, reconciler: Reconciler, ports: WorkloadRulesPorts) {
    const { dataplane, log, onDrift, deniedReports } = ports;
    const onNewFacts = (id: string) => {
      this.#states.refresh(id);
      ports.requestSync();
    };
    const { names } = ports;
    this.#names =
      names &&
      new NameRules(names, {
        ...options,
        log,
        onResolvers: () => ports.requestSync(),
        onChange: onNewFacts,
        onTrouble: (id) => this.#states.verify(id),
      });
    this.#feature = openFeature({ ...options, names: this.#names }, ports, onNewFacts);
    const { rules } = this.#feature;
    this.#loads = new LoadRecords(ports.previousLoads, (loads) => ports.persistLoads?.(loads));
    const context = { loader: rulesetLoader(dataplane, undefined, deniedReports), records: this.#loads, log };
    const driver = new RulesetDriver(rules, { ...context, onDrift: (one) => onDrift?.(nameOf(one)) });
    this.#states = reconciler.add(driver, rulesetReports(rules, context));
  }

  references(inventory: Inventory): readonly ServiceRef[] {
    return this.#feature.references(inventory);
  }

  /** Call `references` for the same containers first. */
  sync(inventory: Inventory): void {
    const { namespaces, isComplete } = inventory;
    const plan = this.#feature.plan(inventory);
    this.#syncNames(inventory, plan);
    this.#states.sync(plan, (name) => namespaces.has(name));
    if (isComplete) this.#loads.retain(new Set(namespaces.keys()));
    this.#rawSockets ||= this.#feature.namespaces.some(({ hasRawSockets }) => hasRawSockets);
  }

  /** The caller has tested the template. It counts from the next sync on; then call `refreshAll`. */
  useTemplate(template: EgressTemplate): void {
    this.#feature.useTemplate(template);
  }

  /** Compares all namespaces with the kernel. */
  refreshAll(): void {
    this.#states.refreshAll();
  }

  /** Sets or (with `undefined`) ends an operator's override. It counts from the next sync on. */
  override(containers: readonly Container[], override: Override | undefined): void {
    this.#feature.override(containers, override);
  }

  /** Whether a workload has had raw sockets. */
  get rawSockets(): boolean {
    return this.#rawSockets;
  }

  get unsupported(): Egress['unsupported'] {
    return this.#feature.unsupported;
  }

  /** Undefined until the keys are read. */
  aclOf(consul: Pick<ConsulSnapshot, 'rules'>): Acl | undefined {
    return this.#feature.aclOf(consul);
  }

  status(): Pick<Status, 'namespaces' | 'notEnabled' | 'recordsDenied'> {
    const { notEnabled, template } = this.#feature;
    return {
      namespaces: this.#shown().map((one) => this.#withNames(this.#feature.status(one))),
      notEnabled: notEnabled.map(({ container, problem }) => ({ name: container.name, problem })),
      recordsDenied: recordsDenied(template.source),
    };
  }

  /** The containers, for questions. */
  containerViews(): Containers {
    return containersOf(this.#shown(), this.#feature, (id) => this.#names?.reportOf(id));
  }

  templateFacts(): ReturnType<typeof templateFacts> {
    return templateFacts(this.#feature.template);
  }

  /** The namespaces with rules, as far as known. */
  loadedNamespaces(): readonly WorkloadNamespace[] {
    return [...this.#states.states()].flatMap(({ desired, observed }) =>
      observed?.loaded.fingerprint === undefined ? [] : [desired.namespace],
    );
  }

  /** What is known of names, by the container whose namespace it is. */
  nameReports(): ReadonlyMap<string, NamesReport> {
    const reports = [...this.#states.states()].flatMap(({ desired: { namespace } }) => {
      const report = this.#names?.reportOf(namespace.id);
      return report === undefined ? [] : [[namespace.target.name, report] as const];
    });
    return new Map(reports);
  }

  get resolverCounts(): NameRules['resolverCounts'] {
    return this.#names?.resolverCounts;
  }

  /** The resolvers of names, as a source that fails; nothing while they answer, because an age would tell nothing. */
  nameSources(): Status['sources'] {
    const error = this.#names?.trouble;
    return error === undefined
      ? []
      : [{ name: 'name resolvers', known: true, confirmedAt: undefined, error }];
  }

  async close(): Promise<void> {
    this.#names?.close();
    await this.#feature.close();
  }

  /** Before the texts are made, which need to know who answers. */
  #syncNames(inventory: Inventory, plan: Plan<EgressDesired>): void {
    const acl = this.#feature.aclOf(inventory.consul);
    if (this.#names === undefined || acl === undefined) return;
    // Keys that are too old name no service either: the policy is that of no key, and all share it.
    const isOutdated = inventory.consul.ages.rules === 'outdated';
    const wanted: WantedNamespace[] = [];
    const undecided = new Set<string>();
    for (const [id, { kind, desired }] of plan) {
      const { namespace, rules } = desired;
      const { policy } = rules;
      if (kind !== 'apply') continue;
      if (!rules.isKnown) undecided.add(id);
      else if (dnsOf(namespace, policy, this.#feature.nameSupport) === 'names')
        wanted.push({ ...namespace, policy, ...(isOutdated && { grants: [] }) });
    }
    this.#names.sync(inventory, acl, wanted, undecided);
  }

  #withNames(status: NamespaceStatus): NamespaceStatus {
    const report = this.#names?.reportOf(status.id);
    if (report === undefined) return status;
    const problems = [...status.problems, ...namesProblems(report)];
    return { ...status, names: namesSummary(report), problems };
  }

  #shown() {
    return [...this.#states.states()].filter((one) => this.#feature.hasStatus(one));
  }
}

/** Repeated failed reads may each cost the Engine seconds, so they wait longer than loads. */
const SELDOM = 12;

function openFeature(
  { retry, random, now, ...options }: WorkloadRulesOptions & Pick<EgressOptions, 'names'>,
  { gate, containers, previousOverrides: previous, persistOverrides }: WorkloadRulesPorts,
  onChange: (id: string) => void,
): Egress {
  return new Egress({
    ...options,
    gate,
    facts: { source: containers, retry: { ...retry, most: SELDOM * retry.most }, random, onChange },
    overrides: { previous, persist: (overrides) => persistOverrides?.(overrides), now },
  });
}
