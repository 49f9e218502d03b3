/**
 * Observes a controller: measures its loads, collects denied destinations, and registers it in Consul.
 */
import { hostname } from 'node:os';
import { version } from '../common/assets.ts';
import type { Logger } from '../common/logger.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Config, HostConfig } from '../config/config.ts';
import type { Dataplane, HostDataplane } from '../dataplane/dataplane.ts';
import type { DeniedCallsReport } from '../diagnostics/denied-in.ts';
import { containerNames, HOST_OFF } from '../diagnostics/host-view.ts';
import { INGRESS } from '../features/ingress/ingress.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import { type NamespaceId, type NetworkNamespace, namespaceId } from '../inventory/namespace.ts';
import type { RulesetOwner } from '../inventory/ruleset.ts';
import { parseAddress } from '../net/address.ts';
import { ConsulRegistration } from './consul-registration.ts';
import type { Controller } from './controller.ts';
import { mergedCalls } from './denied-calls.ts';
import type { DeniedState } from './denied-history.ts';
import type { DeniedNamespace } from './denied-lines.ts';
import { DenyLog } from './deny-log.ts';
import { HostDenyLog } from './host-deny-log.ts';
import { measured, measuredHost, type ObservedLoad } from './metrics/measured-dataplane.ts';
import { Metrics } from './metrics/metrics.ts';
import type { DeniedReports, FoundDenied } from './ruleset-loader.ts';
import { type About, type Status, shifted } from './status.ts';
import type { EngineAccess } from './wiring.ts';

/** With more loaders than this, those of gone namespaces are removed. */
const MOST_LOADERS = 2_000;

type Observed = Pick<EngineAccess, 'dataplane' | 'loaderOf' | 'hostDataplane' | 'hostLoader'>;

/** The stored denied destinations of the previous run, and the function that stores them. */
export interface PersistedDenied {
  readonly previous?: DeniedState | undefined;
  readonly save?: (state: () => DeniedState) => void;
  /** The same for denied callers. */
  readonly ingress?: Omit<PersistedDenied, 'ingress'>;
}

export interface DenyLogs {
  readonly egress: DenyLog;
  readonly ingress: DenyLog;
  /** Undefined where no port is guarded. */
  readonly host: HostDenyLog | undefined;
}

export class Telemetry {
  readonly metrics: Metrics;
  /** The given dataplane, with measurements. */
  readonly dataplane: Dataplane;
  readonly hostDataplane: HostDataplane;
  readonly onDrift: () => void;
  /** For the denied destinations that jobs of the reconciler read. */
  readonly deniedReports: DeniedReports = {
    now: Date.now,
    found: (...found) => this.#deniedFound(...found),
  };
  readonly #about: About;
  readonly #denyLog: DenyLog;
  readonly #ingressDenyLog: DenyLog;
  readonly #hostDenyLog: HostDenyLog | undefined;
  readonly #config: Config;
  readonly #log: Logger;
  /** By namespace: the last loader. */
  readonly #loaders = new Map<NamespaceId, string>();
  #controller: Controller | undefined;
  #registration: ConsulRegistration | undefined;

  constructor(config: Config, engine: Observed, log: Logger, kept: PersistedDenied = {}) {
    const { dataplane, hostDataplane } = engine;
    const { loader, template, deniedInterval } = config;
    this.#about = { version: version(), node: hostname(), loader, template, startedAt: Date.now() };
    this.#config = config;
    this.#log = log;
    this.#denyLog = new DenyLog({
      dataplane,
      log,
      namespaces: () => this.#controller?.answers.loadedNamespaces() ?? [],
      now: Date.now,
      interval: deniedInterval,
      previous: kept.previous,
      onChange: () => kept.save?.(() => this.#denyLog.state()),
    });
    this.#ingressDenyLog = new DenyLog({
      dataplane: {
        denied: (...asked) => dataplane.denied(...asked),
        // Outgoing packets do not tell whether calls came in.
        egressCounters: async (ref) => (await dataplane.counters(ref))?.received,
      },
      direction: 'ingress',
      log,
      namespaces: () => this.#controller?.answers.loadedIngress() ?? [],
      now: Date.now,
      interval: deniedInterval,
      previous: kept.ingress?.previous,
      onChange: () => kept.ingress?.save?.(() => this.#ingressDenyLog.state()),
    });
    this.#hostDenyLog = config.host && this.#openHostDenyLog(config.host, hostDataplane);
    this.metrics = new Metrics({
      version: version(),
      loaders: loadersOf(config),
      status: () => this.#controller && statusByHostClock(this.#controller),
      denied: () => this.#denyLog.summaries,
      deniedCalls: () => this.#ingressDenyLog.summaries,
      names: () => this.#controller?.answers.nameReports() ?? new Map(),
      nameResolvers: () => this.#controller?.answers.resolverCounts,
      hasNetworks: config.networks !== undefined,
      host: this.#hostDenyLog && {
        summary: () => this.#controller?.answers.status().host,
        denied: () => this.#hostDenyLog?.summary,
      },
    });
    this.dataplane = measured(dataplane, {
      observe: (load) => this.#observe(load),
      loaderOf: (namespace) => engine.loaderOf(namespace),
    });
    this.hostDataplane = measuredHost(hostDataplane, {
      observe: (load) => this.#observe(load),
      loaderOf: () => engine.hostLoader(),
    });
    this.onDrift = () => this.metrics.countRepair();
  }

  /** The namespaces with rules may have changed. */
  readonly onReconciled = (): void => {
    this.#denyLog.follow();
    this.#ingressDenyLog.follow();
  };

  attach(controller: Controller): void {
    this.#controller = controller;
    this.#registration = new ConsulRegistration(this.#config, () => this.status(controller), this.#log);
  }

  /** `offset`: from the controller's clock to the host's, in milliseconds. */
  status(controller: Controller, offset = Date.now() - steadyNow()): Status {
    const status = shifted(controller.answers.status(), offset);
    const { summaries } = this.#denyLog;
    const namespaces = status.namespaces.map((one) => ({
      ...{ ...one, loader: this.#loaders.get(one.id) },
      denied: summaries.get(one.target),
    }));
    return { controller: this.#about, ...status, namespaces };
  }

  #openHostDenyLog(host: HostConfig, dataplane: HostDataplane): HostDenyLog {
    const view = () => this.#controller?.answers.hostView() ?? HOST_OFF;
    return new HostDenyLog({
      ...{ dataplane, log: this.#log, now: Date.now, interval: this.#config.deniedInterval },
      isGuarded: () => view().guard !== undefined && view().fingerprint !== undefined,
      observes: host.guard?.mode === 'observe',
      containerNames: () => {
        const nameAt = containerNames(view().containers);
        return (text) => {
          const address = parseAddress(text);
          return address && nameAt(address);
        };
      },
    });
  }

  #deniedFound(namespace: NetworkNamespace, owner: RulesetOwner, found: FoundDenied): void {
    if (namespace.kind === 'host') this.#hostDenyLog?.found(found.denied, found.begunAt);
    else if (owner === 'egress') this.#denyLog.found(namespace.id, found);
    else if (owner === INGRESS) this.#ingressDenyLog.found(namespace.id, found);
  }

  #observe(load: ObservedLoad): void {
    this.metrics.observeLoad(load);
    if (!('containerId' in load.namespace)) return;
    const { containerId: id, startedAt } = load.namespace;
    this.#loaders.set(namespaceId({ id, startedAt }), load.loader);
    if (this.#loaders.size < MOST_LOADERS) return;
    const known = new Set(this.#controller?.answers.status().namespaces.map(({ id }) => id));
    for (const id of this.#loaders.keys()) if (!known.has(id)) this.#loaders.delete(id);
  }

  /** For who looks at denials all the time. */
  get denyLogs(): DenyLogs {
    return { egress: this.#denyLog, ingress: this.#ingressDenyLog, host: this.#hostDenyLog };
  }

  /** The denied destinations of all or some namespaces. */
  denied(choose?: (namespace: DeniedNamespace) => boolean): Promise<readonly DeniedReport[]> {
    return this.#denyLog.answer(choose);
  }

  /** The calls that the ports guard or ingress rules denied. */
  async deniedCalls(): Promise<DeniedCallsReport> {
    const [byGuard, byIngress] = await Promise.all([
      this.#hostDenyLog?.answer(),
      this.#ingressDenyLog.answer(),
    ]);
    return mergedCalls(byGuard, byIngress, this.#controller?.answers.loadedIngress() ?? []);
  }

  /** The same as far as known, without reading a kernel. */
  knownCalls(): DeniedCallsReport {
    const namespaces = this.#controller?.answers.loadedIngress() ?? [];
    return mergedCalls(this.#hostDenyLog?.known(), this.#ingressDenyLog.known(), namespaces);
  }

  async close(): Promise<void> {
    await this.#denyLog.close();
    await this.#ingressDenyLog.close();
    await this.#hostDenyLog?.close();
    await this.#registration?.close();
  }
}

/** Ages do not depend on the host's clock, but readers compare the times with it. */
const statusByHostClock = (controller: Controller): Status =>
  shifted(controller.answers.status(), Date.now() - steadyNow());

const loadersOf = ({ dryRun, loader }: Config): readonly string[] =>
  dryRun ? ['dry-run'] : loader === 'auto' ? ['nsenter', 'helper'] : [loader];
