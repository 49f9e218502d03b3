/**
 * The controller: takes an inventory, asks each feature for its desired state, and passes that to the reconciler.
 *
 * Level-triggered: a change only requests another sync. No event decides anything.
 */
import { messageOf } from '../common/errors.ts';
import type { Override } from '../features/egress/overrides.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import type { ContainerPort, PortOverride } from '../features/host/port-overrides.ts';
import type { Container } from '../inventory/container.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { Reconciler } from '../reconciler/reconciler.ts';
import { conditionsOf } from './conditions.ts';
import { ControllerAnswers } from './controller-answers.ts';
import type { ControllerOptions, ControllerPorts } from './controller-ports.ts';
import { EngineFirewall } from './engine-firewall.ts';
import { HostRules } from './host-rules.ts';
import { IngressRules } from './ingress-rules.ts';
import { InventoryReader, type References } from './inventory-reader.ts';
import { NetworksRules } from './networks-rules.ts';
import { ProblemLog } from './problem-log.ts';
import { WorkloadRules } from './workload-rules.ts';

export class Controller {
  /** What it knows. */
  readonly answers: ControllerAnswers;
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
    this.answers = new ControllerAnswers(
      {
        ...{ sources: this.#sources, workloads: this.#workloads, ingress: this.#ingress },
        ...{ host: this.#host, networks: this.#networks },
      },
      options,
    );
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

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#reconciler.idle();
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
    const unsupported = this.answers.unsupported();
    const status = this.answers.quickStatus();
    this.#problems.update(conditionsOf(status, { unsupported }, this.#workloads.rawSockets));
    const { acl, ingressAcl: ingress } = this.answers;
    this.#ports.onSynced?.({ status, acl, ingress });
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
}

/** Milliseconds between two syncs, so that stored ages are not older. */
const LONGEST_UNSYNCED = 60_000;

/** With --max-age, ages are stored so often that a crash costs a tenth of the limit. */
const longestUnsynced = ({ driftInterval, maxAge }: ControllerOptions): number =>
  Math.min(driftInterval, LONGEST_UNSYNCED, (maxAge?.limit ?? Number.POSITIVE_INFINITY) / 10);
