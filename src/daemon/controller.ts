/**
 * The controller: reads what is known of the world, decides what every namespace should hold, and
 * has the keeper make it so.
 *
 * Level-triggered: a change anywhere only asks for another look. Nothing is decided by an event.
 */

import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import { outsiders, type Snapshot, snapshotOf } from '../diagnostics/snapshot.ts';
import { desiredFor } from '../features/egress/desired.ts';
import { DnsFacts } from '../features/egress/dns-facts.ts';
import type { Gate } from '../features/egress/gate.ts';
import { type NotEnabled, notEnabled } from '../features/egress/not-enabled.ts';
import { type KeptOverrides, type Override, Overrides } from '../features/egress/overrides.ts';
import { Preparer } from '../features/egress/preparer.ts';
import { Renderer } from '../features/egress/renderer.ts';
import {
  type NamespaceId,
  type Plan,
  planNamespaces,
  type WorkloadNamespace,
} from '../features/egress/workload-namespaces.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { ContainerSource, RuleSource, Watched } from '../inventory/sources.ts';
import type { Mode } from '../inventory/workload.ts';
import type { Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { grantedKeys, servicesOf } from '../policy/compile.ts';
import { PolicyCompiler } from '../policy/policy-compiler.ts';
import { DriftScanner } from '../reconciler/drift-scanner.ts';
import { LoadMemory, type Loads } from '../reconciler/load-memory.ts';
import { NamespaceReconciler, type ReconcilerOptions } from '../reconciler/namespace-reconciler.ts';
import { statusOf } from '../reconciler/reconcile-state.ts';
import { recordsDenied } from '../rendering/facts.ts';
import { needsUngranted, type Template } from '../rendering/render.ts';
import { AgeLimit, ALL_FRESH, type MaxAge } from './age-limit.ts';
import { conditionsOf } from './conditions.ts';
import { ConsulCache, type LastKnownState } from './consul-cache.ts';
import { ProblemLog } from './problem-log.ts';
import { type Status, sourceStatus } from './status.ts';

export interface ControllerOptions extends ReconcilerOptions {
  readonly template: Template;
  /** Addresses that a broad prefix does not grant. */
  readonly protectedHosts: readonly Prefix[];
  /** The mode of workloads without EGRESSTRATOR_MODE. */
  readonly mode: Mode;
  /** Lists of grants to prepare for the gate, beside those of every workload seen. */
  readonly prepare: readonly (readonly string[])[];
  /** Milliseconds between two comparisons of each namespace with what should be there. */
  readonly driftInterval: number;
  /** Undefined: what is known counts however old it is. */
  readonly maxAge?: MaxAge | undefined;
}

export interface ControllerPorts {
  readonly rules: RuleSource;
  readonly containers: ContainerSource;
  readonly dataplane: Dataplane;
  /** The gate, if this host may have one. */
  readonly gate?: Gate | undefined;
  readonly log: Logger;
  /** What a former run of the controller knew. */
  readonly former: LastKnownState | undefined;
  /** Called when rules in a kernel were found altered, with the container's name. */
  readonly onDrift?: (container: string) => void;
  /** Called at each look with what is known of Consul by now. */
  readonly remember: (knowledge: LastKnownState) => void;
  /** What a former run has loaded. */
  readonly formerLoads?: Loads | undefined;
  /** What a former run was told by hand. */
  readonly formerOverrides?: KeptOverrides | undefined;
  /** Called when something is said by hand, or counts no more, with all that counts. */
  readonly rememberOverrides?: (overrides: KeptOverrides) => void;
  /** Called when something else is loaded, with all that is. */
  readonly rememberLoads?: (loads: Loads) => void;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #ports: ControllerPorts;
  readonly #world: ConsulCache;
  readonly #containers: Watched<ReadonlyMap<ContainerId, Container>>;
  readonly #resolver: PolicyCompiler;
  readonly #loads: LoadMemory;
  readonly #keeper: NamespaceReconciler;
  readonly #resolverFacts: DnsFacts;
  readonly #overrides: Overrides;
  readonly #problems: ProblemLog;
  readonly #preparer: Preparer | undefined;
  readonly #patrol: DriftScanner<NamespaceId>;
  readonly #lookTimer: NodeJS.Timeout;
  readonly #ageLimit: AgeLimit | undefined;
  /** By which what is wanted now was decided. */
  #ages = ALL_FRESH;
  #renderer: Renderer;
  #plan: Plan = { namespaces: [], unsupported: [] };
  #unasked: readonly NotEnabled[] = [];
  #nextLook: NodeJS.Immediate | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  /** True once all containers were read that ran when we started. */
  #sawAll = false;
  #rawSockets = false;
  #closed = false;

  constructor(options: ControllerOptions, ports: ControllerPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#renderer = new Renderer(options.template);
    this.#resolver = new PolicyCompiler(options.protectedHosts);
    this.#problems = new ProblemLog(ports.log, options.now);
    this.#preparer = openPreparer(options, ports);
    this.#overrides = new Overrides({
      former: ports.formerOverrides,
      keep: (overrides) => ports.rememberOverrides?.(overrides),
      now: options.now,
    });
    this.#loads = new LoadMemory(ports.formerLoads, (loads) => ports.rememberLoads?.(loads));
    this.#keeper = new NamespaceReconciler(options, ports.log, this.#loads, () => ({
      ...ports,
      renderer: this.#renderer,
      resolvers: (namespace, gate) => this.#resolverFacts.of(namespace, gate),
    }));
    this.#resolverFacts = this.#openResolverFacts();
    this.#world = new ConsulCache(ports.rules, ports.former, options.now, () => this.look());
    this.#ageLimit = this.#openAgeLimit();
    this.#containers = ports.containers.watch(() => this.look());
    this.#patrol = new DriftScanner({
      interval: options.driftInterval,
      most: MOST_COMPARISONS,
      members: () => [...this.#keeper.records()].map(({ namespace }) => namespace.id),
      visit: (id) => this.#keeper.verify(id),
      now: options.now,
    });
    // A source that is lost does not call: on a quiet host nobody would read of it without a look.
    this.#lookTimer = setInterval(() => this.look(), longestUnlooked(options));
  }

  /** Asks for another look at the world, soon and once. */
  look(): void {
    if (this.#closed) return;
    this.#nextLook ??= setImmediate(() => {
      this.#nextLook = undefined;
      this.#look();
    });
  }

  /** Renders by another template from now on; the caller has tried it out. */
  useTemplate(template: Template): void {
    this.#renderer = new Renderer(template);
    this.#look();
    this.#keeper.recheck();
  }

  /** An operator's word on containers; `undefined` takes it back. Resolves when no job is left. */
  async override(containers: readonly Container[], override: Override | undefined): Promise<void> {
    for (const container of containers) this.#overrides.set(container, override);
    this.#look();
    await this.#keeper.idle();
  }

  /** The running containers; undefined until the Engine has told them. */
  get containers(): ReadonlyMap<ContainerId, Container> | undefined {
    return this.#containers.value;
  }

  /**
   * True once the rules and the containers were read, and no service is waited for. A service that fails or is
   * silent does not count: each workload may hold a key that names one, and its rules are loaded without it.
   */
  get isReady(): boolean {
    const hasRules = this.#world.freshness().some(({ name, known }) => name === 'rules' && known);
    const isSettled = this.#world.awaited(this.#options.grace).services.size === 0;
    return hasRules && this.#containers.value !== undefined && isSettled;
  }

  /** The keys in Consul; undefined while nothing is known of them. */
  get acl(): Acl | undefined {
    return this.#world.acl();
  }

  /** The mode of workloads without EGRESSTRATOR_MODE. */
  get mode(): Mode {
    return this.#options.mode;
  }

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#keeper.idle();
  }

  status(): Status {
    const { value, confirmedAt, error } = this.#containers;
    const engine = { name: 'containers', known: value !== undefined, confirmedAt, error: error?.message };
    const consul = this.#world.freshness().map((one) => sourceStatus(one, this.#ages));
    return {
      namespaces: [...this.#keeper.records()].map((one) => ({
        ...statusOf(one, this.#renderer.template, this.#factProblems(one.namespace.id)),
        byHand: this.#overrides.about(one.namespace),
      })),
      refused: this.#plan.unsupported.map(({ container, problem }) => ({ name: container.name, problem })),
      unasked: this.#unasked.map(({ container, problem }) => ({ name: container.name, problem })),
      sources: [...consul, engine],
      recordsDenied: recordsDenied(this.#renderer.template.source),
    };
  }

  /** What answers to questions about it are made of; undefined while the rules are not known. */
  snapshot(): Snapshot | undefined {
    const { protectedHosts } = this.#options;
    const { template } = this.#renderer;
    const picture = snapshotOf(this.#world, this.#keeper.records(), { protectedHosts, template });
    return picture && { ...picture, ...outsiders(this.#plan, this.#unasked) };
  }

  /** The namespaces that hold rules, as far as known. */
  loadedNamespaces(): readonly WorkloadNamespace[] {
    const loaded = [...this.#keeper.records()].filter((one) => one.loaded?.fingerprint !== undefined);
    return loaded.map((one) => one.namespace);
  }

  /** Stops watching and awaits the end of running jobs. What is loaded stays loaded. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#lookTimer);
    clearTimeout(this.#graceTimer);
    this.#ageLimit?.close();
    this.#remember();
    await this.#patrol.close();
    this.#world.close();
    this.#containers.close();
    clearImmediate(this.#nextLook);
    await this.#keeper.close();
    await this.#resolverFacts.close();
  }

  #factProblems(id: NamespaceId): readonly Problem[] {
    const problem = this.#resolverFacts.problem(id);
    return problem === undefined ? [] : [problem];
  }

  #look(): void {
    const containers = this.#containers.value;
    if (containers === undefined) return;
    const acl = this.#world.acl();
    // Before all were read, who is not there may run all the same.
    if (this.#containers.confirmedAt !== undefined) this.#overrides.retain(containers);
    this.#plan = planNamespaces(containers, (one) => this.#overrides.read(one, this.#options.mode));
    this.#unasked = notEnabled(containers, this.#plan, (one) => this.#overrides.has(one));
    for (const { members } of this.#plan.namespaces) {
      for (const { workload } of members) this.#preparer?.see(workload);
    }
    this.#resolverFacts.follow(this.#plan.namespaces);
    if (acl !== undefined) this.#follow(acl);
    const ages = this.#ageLimit?.ages() ?? ALL_FRESH;
    this.#ages = ages;
    const isDenylist = needsUngranted(this.#renderer.template);
    const awaited = this.#world.awaited(this.#options.grace);
    const known = { acl, catalog: this.#world.catalog(), ages, awaited, isDenylist };
    const wantFor = desiredFor(known, this.#resolver);
    if (awaited.rules || awaited.services.size > 0) this.#lookAfterGrace();
    const how = { mayHold: !this.#sawAll };
    for (const namespace of this.#plan.namespaces)
      this.#keeper.want(namespace, wantFor(namespace.grants), how);
    if (acl !== undefined || ages.rules === 'outdated') this.#preparer?.prepare(wantFor, this.#renderer);
    this.#releaseCleared(containers, how);
    this.#releaseOthers(containers);
    this.#loads.retain(new Set([...this.#keeper.records()].map(({ namespace }) => namespace.id)));
    this.#resolver.sweep();
    this.#rawSockets ||= this.#plan.namespaces.some((namespace) => namespace.hasRawSockets);
    this.#problems.update(conditionsOf(this.status(), this.#plan, this.#rawSockets));
    // Who was not read until now may have been here before us.
    this.#sawAll ||= this.#containers.confirmedAt !== undefined;
  }

  /** A source that fails does not call, and one that is silent never does. */
  #lookAfterGrace(): void {
    this.#graceTimer ??= setTimeout(() => {
      this.#graceTimer = undefined;
      this.look();
    }, this.#options.grace);
  }

  #follow(acl: Acl): void {
    const prepared = this.#preparer?.requests() ?? [];
    const grants = new Set([...this.#plan.namespaces, ...prepared].flatMap((one) => one.grants));
    const keys = needsUngranted(this.#renderer.template) ? acl.values() : grantedKeys([...grants], acl);
    this.#world.follow(servicesOf(keys));
    this.#remember();
  }

  #remember(): void {
    const knowledge = this.#world.knowledge();
    if (knowledge !== undefined) this.#ports.remember(knowledge);
  }

  #openResolverFacts(): DnsFacts {
    const { retry, random } = this.#options;
    return new DnsFacts({
      source: this.#ports.containers,
      retry: { first: retry.first, most: SELDOM * retry.most },
      random,
      onChange: (id) => {
        this.#keeper.refresh(id);
        this.look();
      },
    });
  }

  #openAgeLimit(): AgeLimit | undefined {
    const { maxAge, grace, now } = this.#options;
    const freshness = () => this.#world.freshness();
    const onChange = () => this.look();
    return maxAge && new AgeLimit({ maxAge, grace, now, freshness, onChange });
  }

  /** A former run may have ended before it took away what it was told to. */
  #releaseCleared(containers: ReadonlyMap<ContainerId, Container>, how: { readonly mayHold: boolean }): void {
    const known = new Set([...this.#keeper.records()].map(({ namespace }) => namespace.id));
    const { mode } = this.#options;
    const { namespaces } = planNamespaces(containers, (one) => this.#overrides.readCleared(one, mode));
    for (const namespace of namespaces)
      if (!known.has(namespace.id)) this.#keeper.want(namespace, { kind: 'nothing' }, how);
  }

  /** Where no workload is left inside, rules are taken away if the namespace lives on. */
  #releaseOthers(containers: ReadonlyMap<ContainerId, Container>): void {
    const planned = new Set(this.#plan.namespaces.map((namespace) => namespace.id));
    for (const { namespace } of [...this.#keeper.records()]) {
      if (planned.has(namespace.id)) continue;
      const target = containers.get(namespace.target.id);
      if (target?.startedAt !== namespace.target.startedAt) this.#keeper.forget(namespace.id);
      else this.#keeper.want({ ...namespace, target }, { kind: 'nothing' });
    }
  }
}

function openPreparer({ prepare, mode }: ControllerOptions, { gate }: ControllerPorts): Preparer | undefined {
  const named = prepare.map((grants) => ({ grants: [...grants].sort(), mode, dns: 'resolvers' as const }));
  return gate === undefined ? undefined : new Preparer(gate, named);
}

/** Milliseconds between two looks, so that what is kept of ages is no older than that. */
const LONGEST_UNLOOKED = 60_000;

/** Ages that count are kept so often that a crash costs a tenth of what they may be. */
const longestUnlooked = ({ driftInterval, maxAge }: ControllerOptions): number =>
  Math.min(driftInterval, LONGEST_UNLOOKED, (maxAge?.limit ?? Number.POSITIVE_INFINITY) / 10);

/** A read that fails again and again may cost the Engine seconds each time, so it waits longer than a load. */
const SELDOM = 12;

/** Comparisons in one interval: each costs as much processor time as a small load. */
const MOST_COMPARISONS = 20;
