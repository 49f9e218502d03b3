/**
 * The controller: takes an inventory, asks each feature for its desired state, and passes that to the reconciler.
 *
 * Level-triggered: a change only requests another sync. No event decides anything.
 */
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Dataplane, HostDataplane } from '../dataplane/dataplane.ts';
import type { HostFactsAccess } from '../dataplane/host-facts.ts';
import type { NamespaceRoutes } from '../dataplane/namespace-routes.ts';
import type { OtherFirewalls } from '../dataplane/other-firewalls.ts';
import { HOST_OFF, type HostView, hostSummary } from '../diagnostics/host-view.ts';
import type { EgressDesired } from '../features/egress/desired.ts';
import { Egress, type EgressOptions } from '../features/egress/egress.ts';
import { recordsDenied } from '../features/egress/facts.ts';
import type { Gate } from '../features/egress/gate.ts';
import type { Override, PersistedOverrides } from '../features/egress/overrides.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { HostMemory, HostOptions } from '../features/host/host.ts';
import type { ContainerPort, PersistedPorts, PortOverride } from '../features/host/port-overrides.ts';
import type { IngressGate } from '../features/ingress/gate.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import type { IngressTemplate } from '../features/ingress/render.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { EngineRules } from '../inventory/engine-rules.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { NetworkMaker } from '../inventory/sources.ts';
import type { Mode } from '../inventory/workload.ts';
import type { Acl } from '../policy/acl.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords, type Loads } from '../reconciler/load-records.ts';
import { Reconciler, type ReconcilerOptions } from '../reconciler/reconciler.ts';
import { nameOf, type ObservedRules, RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import { conditionsOf } from './conditions.ts';
import { EngineFirewall } from './engine-firewall.ts';
import { HostRules, hostViewOf } from './host-rules.ts';
import { IngressRules } from './ingress-rules.ts';
import {
  InventoryReader,
  type References,
  type SourceOptions,
  type SourcePorts,
} from './inventory-reader.ts';
import { type NetworksPorts, NetworksRules } from './networks-rules.ts';
import { ProblemLog } from './problem-log.ts';
import { type DeniedReports, rulesetLoader } from './ruleset-loader.ts';
import { type Containers, containersOf, type KnownSnapshot, templateFacts } from './snapshot.ts';
import type { HostTexts } from './state/host-files.ts';
import type { Status } from './status.ts';

export interface ControllerOptions
  extends SourceOptions,
    Omit<ReconcilerOptions, 'onDefect' | 'onEnded'>,
    Pick<EgressOptions, 'template' | 'protectedHosts' | 'mode' | 'prepare'> {
  /** Undefined: the host has no rules of ours. */
  readonly host?: HostOptions | undefined;
  /** The path of networks.json; undefined: there is none. It needs `host`. */
  readonly networks?: string | undefined;
  /** This host's name in Consul. */
  readonly node?: string | undefined;
  /** Of rules about who may reach containers. */
  readonly ingressTemplate: IngressTemplate;
}

export interface ControllerPorts extends Omit<SourcePorts, 'firewall'> {
  readonly dataplane: Dataplane;
  readonly hostDataplane?: HostDataplane | undefined;
  /** Reads the Engine's own rules on its host, for `--forwards auto`. */
  readonly readEngineRules?: (() => Promise<EngineRules>) | undefined;
  /** Undefined: passages, connections and changes by other programs are left as they are. */
  readonly otherFirewalls?: OtherFirewalls | undefined;
  /** Resolves when the host's rules of an earlier run are restored, where they had to be. */
  readonly hostRestored?: Promise<void> | undefined;
  /** Called when the host's rules are in place, with their fingerprint. */
  readonly persistHostRules?: ((fingerprint: string, texts: () => HostTexts) => void) | undefined;
  /** Watches networks.json. */
  readonly watchFile?: NetworksPorts['watchFile'] | undefined;
  readonly networkMaker?: NetworkMaker | undefined;
  readonly namespaceRoutes?: NamespaceRoutes | undefined;
  readonly hostFacts?: HostFactsAccess | undefined;
  /** The last good text of networks.json in the previous run. */
  readonly previousNetworks?: string | undefined;
  /** Called with a good text that is new. */
  readonly persistNetworks?: (text: string) => void;
  /** The gate, if this host may have one. */
  readonly gate?: Gate | undefined;
  /** The same gate, for rules about who may reach containers. */
  readonly ingressGate?: IngressGate | undefined;
  readonly log: Logger;
  /** Called when rules in a kernel were found changed, with the container's name. */
  readonly onDrift?: (container: string) => void;
  /** Gets the denied destinations that loads and inspections read. */
  readonly deniedReports?: DeniedReports | undefined;
  /** Called at the end of each job. */
  readonly onReconciled?: () => void;
  /** The loads of the previous run. */
  readonly previousLoads?: Loads | undefined;
  /** Of the host's rules; undefined: nothing is persisted. */
  readonly hostMemory?: HostMemory | undefined;
  /** The overrides of the previous run. */
  readonly previousOverrides?: PersistedOverrides | undefined;
  /** Called with all overrides after a change. */
  readonly persistOverrides?: (overrides: PersistedOverrides) => void;
  /** Ports that were opened or closed by hand in the previous run. */
  readonly previousPorts?: PersistedPorts | undefined;
  /** Called with all of them after a change. */
  readonly persistPorts?: (ports: PersistedPorts) => void;
  /** Called with all loads after a change. */
  readonly persistLoads?: (loads: Loads) => void;
  /** The same for rules about who may reach containers. */
  readonly previousIngressLoads?: Loads | undefined;
  readonly persistIngressLoads?: (loads: Loads) => void;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #ports: ControllerPorts;
  readonly #sources: InventoryReader;
  readonly #reconciler: Reconciler;
  readonly #loads: LoadRecords;
  readonly #egress: Egress;
  readonly #egressRules: FeatureReconciler<EgressDesired, ObservedRules>;
  readonly #ingress: IngressRules;
  readonly #host: HostRules | undefined;
  readonly #networks: NetworksRules | undefined;
  readonly #problems: ProblemLog;
  readonly #syncTimer: NodeJS.Timeout;
  #nextSync: NodeJS.Immediate | undefined;
  #rawSockets = false;
  #closed = false;

  constructor(options: ControllerOptions, ports: ControllerPorts) {
    const { log, dataplane, onDrift, deniedReports } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#problems = new ProblemLog(log, options.now);
    this.#loads = new LoadRecords(ports.previousLoads, (loads) => ports.persistLoads?.(loads));
    const onDefect = (error: unknown) => log.error({ error: messageOf(error) }, 'internal error in a job');
    this.#reconciler = new Reconciler({ ...options, onDefect, onEnded: ports.onReconciled });
    this.#egress = this.#openEgress();
    const context = { loader: rulesetLoader(dataplane, undefined, deniedReports), records: this.#loads, log };
    const driver = new RulesetDriver(this.#egress.rules, {
      ...context,
      onDrift: (one) => onDrift?.(nameOf(one)),
    });
    this.#egressRules = this.#reconciler.add(driver, rulesetReports(this.#egress.rules, context));
    this.#ingress = new IngressRules(
      { ...options, template: options.ingressTemplate, gate: ports.ingressGate },
      this.#reconciler,
      ports,
    );
    const hostPorts = { ...ports, requestSync: () => this.sync() };
    this.#host =
      options.host && new HostRules({ ...options, host: options.host }, this.#reconciler, hostPorts);
    this.#networks = this.#openNetworks();
    this.#sources = new InventoryReader(options, { ...ports, firewall: this.#openFirewall() }, () =>
      this.sync(),
    );
    // A failing source does not call back: on a quiet host its problem would not be logged without a sync.
    this.#syncTimer = setInterval(() => this.sync(), longestUnsynced(options));
  }

  /** Requests a new plan of all features, soon and only once. */
  sync(): void {
    if (this.#closed) return;
    this.#nextSync ??= setImmediate(() => {
      this.#nextSync = undefined;
      this.#sync();
    });
  }

  /** Uses another template from now on; the caller has tested it. */
  useTemplate(template: EgressTemplate): void {
    this.#egress.useTemplate(template);
    this.#sync();
    this.#egressRules.refreshAll();
  }

  /** Sets or (with `undefined`) ends an operator's override for containers. Resolves when no job is left. */
  async override(containers: readonly Container[], override: Override | undefined): Promise<void> {
    this.#egress.override(containers, override);
    this.#sync();
    await this.#reconciler.idle();
  }

  /** Opens or closes a container's port by hand, or (with `undefined`) as registered. Resolves when no job is left. */
  async setPort(
    container: Container,
    port: ContainerPort,
    rule: Pick<PortOverride, 'kind' | 'from'> | undefined,
  ): Promise<void> {
    this.#host?.setPort(container, port, rule);
    this.#sync();
    await this.#reconciler.idle();
  }

  /** The host's rules, as far as known. */
  hostView(): HostView {
    if (this.#host === undefined) return { ...HOST_OFF, containers: [...(this.containers?.values() ?? [])] };
    return hostViewOf(this.#host.status(), this.#sources.hostStatus(), this.containers);
  }

  /** The running containers; undefined until they are listed. */
  get containers(): ReadonlyMap<ContainerId, Container> | undefined {
    return this.#sources.containers;
  }

  /** Names or ids of containers that the Engine cannot inspect. */
  get unreadable(): readonly string[] {
    return this.#sources.unreadable;
  }

  /** True once everything has been read that is needed at the start. */
  get isReady(): boolean {
    return this.#sources.isReady;
  }

  /** The keys in Consul; undefined until they are known. */
  get acl(): Acl | undefined {
    return this.#egress.aclOf(this.#sources.consul);
  }

  /** The mode of workloads without EGRESSTRATOR_MODE. */
  get mode(): Mode {
    return this.#options.mode;
  }

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#reconciler.idle();
  }

  status(): Status {
    const { unsupported, notEnabled, template } = this.#egress;
    const ingress = this.#ingress.status();
    const named = ({ container, problem }: (typeof unsupported)[number]) => ({
      name: container.name,
      problem,
    });
    return {
      namespaces: [...this.#egressRules.states()].map((one) => this.#egress.status(one)),
      ...(ingress.length > 0 && { ingress }),
      unsupported: [...unsupported, ...this.#ingress.unsupported].map(named),
      notEnabled: notEnabled.map(named),
      ...this.#hostStatus(),
      recordsDenied: recordsDenied(template.source),
    };
  }

  /** The containers, for questions. */
  containerViews(): Containers {
    return containersOf([...this.#egressRules.states()], this.#egress);
  }

  /** The data for answers; undefined until the rules are known. */
  snapshot(): KnownSnapshot | undefined {
    const { acl } = this;
    if (acl === undefined) return undefined;
    const { protectedHosts } = this.#options;
    const known = { acl, catalog: this.#sources.consul.services, unread: new Map(), protectedHosts };
    const host = this.hostView();
    const ingress = this.#ingress.snapshot(this.#sources.consul);
    return { ...this.containerViews(), ...known, host, ingress, ...templateFacts(this.#egress.template) };
  }

  /** The namespaces with rules, as far as known. */
  loadedNamespaces(): readonly WorkloadNamespace[] {
    const loaded = [...this.#egressRules.states()].filter(
      ({ observed }) => observed?.loaded.fingerprint !== undefined,
    );
    return loaded.map(({ desired }) => desired.namespace);
  }

  /** The same with rules about their callers. */
  loadedIngress(): readonly IngressNamespace[] {
    return this.#ingress.loadedNamespaces();
  }

  /** Who may reach containers that name ingress keys. */
  ingressViews(): readonly IngressView[] {
    return this.#ingress.views();
  }

  /** Stops watching and waits for running jobs. Loaded rules stay. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#syncTimer);
    clearImmediate(this.#nextSync);
    this.#sources.close();
    await this.#reconciler.close();
    await this.#host?.close();
    await this.#networks?.close();
    await this.#egress.close();
  }

  #sync(): void {
    const inventory = this.#sources.read((seen) => this.#references(seen));
    if (inventory === undefined) return;
    const { namespaces, isComplete } = inventory;
    this.#egressRules.sync(this.#egress.plan(inventory), (name) => namespaces.has(name));
    this.#ingress.sync(inventory);
    this.#syncHost(inventory);
    if (isComplete) this.#loads.retain(new Set(namespaces.keys()));
    this.#rawSockets ||= this.#egress.namespaces.some(({ hasRawSockets }) => hasRawSockets);
    const unsupported = [...this.#egress.unsupported, ...this.#ingress.unsupported];
    this.#problems.update(conditionsOf(this.status(), { unsupported }, this.#rawSockets));
  }

  #references(seen: Inventory): References {
    const { services, ingress } = this.#ingress.references(seen);
    return { services: [...this.#egress.references(seen), ...services], ingress };
  }

  /** Without the file's first reading, rules that are loaded for it would go. */
  #syncHost(inventory: Inventory): void {
    if (this.#networks?.isKnown === false) return;
    this.#host?.sync(inventory, this.#networks?.sync(inventory));
  }

  #openNetworks(): NetworksRules | undefined {
    const { networks: path, now } = this.#options;
    const { watchFile, networkMaker, previousNetworks: previous, persistNetworks } = this.#ports;
    if (path === undefined || watchFile === undefined) return undefined;
    const persist = (text: string) => persistNetworks?.(text);
    return new NetworksRules(
      { path, now, previous, persist },
      this.#reconciler,
      { ...this.#ports, watchFile, networkMaker },
      () => this.sync(),
    );
  }

  #openFirewall(): EngineFirewall | undefined {
    const { host, retry, random } = this.#options;
    const { readEngineRules: read, log } = this.#ports;
    if (host?.forwards !== 'auto' || read === undefined) return undefined;
    return new EngineFirewall({ read, log, retry, random, onChange: () => this.sync() });
  }

  #hostStatus(): Pick<Status, 'host' | 'sources'> {
    const sources = this.#sources.status();
    if (this.#host === undefined) return { sources };
    return { host: hostSummary(this.hostView()), sources: [...sources, ...this.#sources.hostStatus()] };
  }

  #openEgress(): Egress {
    const { retry, random, now } = this.#options;
    const { containers, previousOverrides, persistOverrides } = this.#ports;
    const onChange = (id: string) => {
      this.#egressRules.refresh(id);
      this.sync();
    };
    return new Egress({
      ...this.#options,
      gate: this.#ports.gate,
      facts: { source: containers, retry: { ...retry, most: SELDOM * retry.most }, random, onChange },
      overrides: { previous: previousOverrides, persist: (overrides) => persistOverrides?.(overrides), now },
    });
  }
}

/** Milliseconds between two syncs, so that stored ages are not older. */
const LONGEST_UNSYNCED = 60_000;

/** With --max-age, ages are stored so often that a crash costs a tenth of the limit. */
const longestUnsynced = ({ driftInterval, maxAge }: ControllerOptions): number =>
  Math.min(driftInterval, LONGEST_UNSYNCED, (maxAge?.limit ?? Number.POSITIVE_INFINITY) / 10);

/** Repeated failed reads may each cost the Engine seconds, so they wait longer than loads. */
const SELDOM = 12;
