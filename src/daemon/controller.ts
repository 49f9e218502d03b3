/**
 * The controller: takes an inventory, asks each feature for its desired state, and passes that to the reconciler.
 *
 * Level-triggered: a change only requests another sync. No event decides anything.
 */
import { messageOf } from '../common/errors.ts';
import { HOST_OFF, type HostView, hostSummary } from '../diagnostics/host-view.ts';
import type { IngressSnapshot } from '../diagnostics/ingress-snapshot.ts';
import { networksSummary } from '../diagnostics/networks-view.ts';
import type { Override } from '../features/egress/overrides.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { ContainerPort, PortOverride } from '../features/host/port-overrides.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Mode } from '../inventory/workload.ts';
import type { Acl } from '../policy/acl.ts';
import { Reconciler } from '../reconciler/reconciler.ts';
import { conditionsOf } from './conditions.ts';
import type { ControllerOptions, ControllerPorts } from './controller-ports.ts';
import { EngineFirewall } from './engine-firewall.ts';
import { HostRules, hostViewOf } from './host-rules.ts';
import { IngressRules } from './ingress-rules.ts';
import { InventoryReader, type References } from './inventory-reader.ts';
import { NetworksRules } from './networks-rules.ts';
import { ProblemLog } from './problem-log.ts';
import type { Containers, KnownSnapshot } from './snapshot.ts';
import type { Status } from './status.ts';
import { WorkloadRules } from './workload-rules.ts';

export class Controller {
  readonly #options: ControllerOptions;
  readonly #ports: ControllerPorts;
  readonly #sources: InventoryReader;
  readonly #reconciler: Reconciler;
  readonly #workloads: WorkloadRules;
  readonly #ingress: IngressRules;
  readonly #host: HostRules | undefined;
  readonly #networks: NetworksRules | undefined;
  readonly #problems: ProblemLog;
  readonly #syncTimer: NodeJS.Timeout;
  #nextSync: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(options: ControllerOptions, given: ControllerPorts) {
    const requestSync = () => this.sync();
    const ports = { ...given, requestSync };
    const { log } = ports;
    this.#options = options;
    this.#ports = given;
    this.#problems = new ProblemLog(log, options.now);
    const onDefect = (error: unknown) => log.error({ error: messageOf(error) }, 'internal error in a job');
    this.#reconciler = new Reconciler({ ...options, onDefect, onEnded: ports.onReconciled });
    this.#workloads = new WorkloadRules(options, this.#reconciler, ports);
    this.#ingress = new IngressRules(
      {
        ...options,
        template: options.ingressTemplate,
        prepare: options.prepareIngress,
        gate: ports.ingressGate,
      },
      this.#reconciler,
      ports,
    );
    this.#host = options.host && new HostRules({ ...options, host: options.host }, this.#reconciler, ports);
    this.#networks = this.#openNetworks();
    this.#sources = new InventoryReader(options, { ...ports, firewall: this.#openFirewall() }, requestSync);
    // A failing source does not call back: on a quiet host its problem would not be logged without a sync.
    this.#syncTimer = setInterval(requestSync, longestUnsynced(options));
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
    this.#workloads.useTemplate(template);
    this.#sync();
    this.#workloads.refreshAll();
  }

  /** Sets or (with `undefined`) ends an operator's override for containers. Resolves when no job is left. */
  async override(containers: readonly Container[], override: Override | undefined): Promise<void> {
    this.#workloads.override(containers, override);
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
    const view = this.#hostView();
    return { ...view, networks: this.#networks?.view(view.state === 'loaded') };
  }

  /** Without networks.json. */
  #hostView(): HostView {
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

  /** What is wrong with networks.json, or with what follows from it. */
  get networksErrors(): number {
    const problems = this.#networks?.problems ?? [];
    return problems.filter(({ severity }) => severity === 'error').length;
  }

  /** True once everything has been read that is needed at the start. */
  get isReady(): boolean {
    return this.#sources.isReady;
  }

  /** The keys in Consul; undefined until they are known. */
  get acl(): Acl | undefined {
    return this.#workloads.aclOf(this.#sources.consul);
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
    const networks = this.#networks?.view(this.#hostView().state === 'loaded');
    return { ...this.#status(), ...(networks && { networks: networksSummary(networks) }) };
  }

  /** Without what costs more for large files. */
  #status(): Status {
    const ingress = this.#ingress.status();
    return {
      ...this.#workloads.status(),
      ...(ingress.length > 0 && { ingress }),
      unsupported: this.#unsupported().map(({ container, problem }) => ({ name: container.name, problem })),
      ...this.#hostStatus(),
    };
  }

  /** What is known of names, by container. */
  nameReports(): ReadonlyMap<string, NamesReport> {
    return this.#workloads.nameReports();
  }

  /** The containers, for questions. */
  containerViews(): Containers {
    return this.#workloads.containerViews();
  }

  /** The data for answers; undefined until the rules are known. */
  snapshot(): KnownSnapshot | undefined {
    const { acl } = this;
    if (acl === undefined) return undefined;
    const { protectedHosts } = this.#options;
    const { consul } = this.#sources;
    return {
      ...{ acl, catalog: consul.services, unread: new Map(), protectedHosts },
      ...{ host: this.hostView(), ingress: this.ingressSnapshot() },
      ...this.containerViews(),
      ...this.#workloads.templateFacts(),
    };
  }

  /** What is known of ingress keys; `acl`: the keys, if the controller does not watch them. */
  ingressSnapshot(
    acl: Acl | undefined = this.#ingress.aclOf(this.#sources.consul),
  ): IngressSnapshot | undefined {
    const { containers = new Map(), networks } = this.#sources;
    return acl && this.#ingress.snapshot(acl, { containers, networks });
  }

  /** The namespaces with rules, as far as known. */
  loadedNamespaces(): readonly WorkloadNamespace[] {
    return this.#workloads.loadedNamespaces();
  }

  /** The same with rules about their callers. */
  loadedIngress(): readonly IngressNamespace[] {
    return this.#ingress.loadedNamespaces();
  }

  /** The namespaces whose callers are limited, with rules or not yet. */
  ingressNamespaces(): readonly IngressNamespace[] {
    return this.#ingress.namespaces();
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
    await this.#workloads.close();
  }

  #sync(): void {
    const inventory = this.#sources.read((seen) => this.#references(seen));
    if (inventory === undefined) return;
    this.#workloads.sync(inventory);
    this.#ingress.sync(inventory);
    this.#syncHost(inventory);
    const unsupported = this.#unsupported();
    this.#problems.update(conditionsOf(this.#status(), { unsupported }, this.#workloads.rawSockets));
  }

  #unsupported() {
    return [...this.#workloads.unsupported, ...this.#ingress.unsupported];
  }

  #references(seen: Inventory): References {
    const { services, ingress } = this.#ingress.references(seen);
    return { services: [...this.#workloads.references(seen), ...services], ingress };
  }

  /** Without the file's first reading, rules that are loaded for it would go. */
  #syncHost(inventory: Inventory): void {
    if (this.#networks?.isKnown === false) return;
    if (this.#host === undefined) return;
    const isSettled = this.#host.isSettled(inventory);
    this.#host.sync(inventory, this.#networks?.sync(inventory, isSettled), this.#ingress.callers);
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
    return { host: hostSummary(this.#hostView()), sources: [...sources, ...this.#sources.hostStatus()] };
  }
}

/** Milliseconds between two syncs, so that stored ages are not older. */
const LONGEST_UNSYNCED = 60_000;

/** With --max-age, ages are stored so often that a crash costs a tenth of the limit. */
const longestUnsynced = ({ driftInterval, maxAge }: ControllerOptions): number =>
  Math.min(driftInterval, LONGEST_UNSYNCED, (maxAge?.limit ?? Number.POSITIVE_INFINITY) / 10);
