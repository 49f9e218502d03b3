/**
 * Observes a controller: measures its loads, collects denied destinations, and registers it in Consul.
 */
import { hostname } from 'node:os';
import { version } from '../common/assets.ts';
import type { Logger } from '../common/logger.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Config } from '../config/config.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import { type NamespaceId, namespaceId } from '../inventory/namespace.ts';
import { ConsulRegistration } from './consul-registration.ts';
import type { Controller } from './controller.ts';
import type { DeniedState } from './denied-history.ts';
import { DenyLog } from './deny-log.ts';
import { measured, type ObservedLoad } from './metrics/measured-dataplane.ts';
import { Metrics } from './metrics/metrics.ts';
import type { DeniedReports } from './ruleset-loader.ts';
import { type About, type Status, shifted } from './status.ts';
import type { EngineAccess } from './wiring.ts';

/** With more loaders than this, those of gone namespaces are removed. */
const MOST_LOADERS = 2_000;

type Observed = Pick<EngineAccess, 'dataplane' | 'loaderOf'>;

/** The stored denied destinations of the previous run, and the function that stores them. */
export interface PersistedDenied {
  readonly previous?: DeniedState | undefined;
  readonly save?: (state: () => DeniedState) => void;
}

export class Telemetry {
  readonly metrics: Metrics;
  /** The given dataplane, with measurements. */
  readonly dataplane: Dataplane;
  readonly onDrift: () => void;
  /** For the denied destinations that jobs of the reconciler read. */
  readonly deniedReports: DeniedReports = {
    now: Date.now,
    found: (id, found) => this.#denyLog.found(id, found),
  };
  readonly #about: About;
  readonly #denyLog: DenyLog;
  readonly #config: Config;
  readonly #log: Logger;
  /** By namespace: the last loader. */
  readonly #loaders = new Map<NamespaceId, string>();
  #controller: Controller | undefined;
  #registration: ConsulRegistration | undefined;

  constructor(config: Config, engine: Observed, log: Logger, kept: PersistedDenied = {}) {
    const { dataplane } = engine;
    const { loader, template, deniedInterval } = config;
    this.#about = { version: version(), node: hostname(), loader, template, startedAt: Date.now() };
    this.#config = config;
    this.#log = log;
    this.#denyLog = new DenyLog({
      dataplane,
      log,
      namespaces: () => this.#controller?.loadedNamespaces() ?? [],
      now: Date.now,
      interval: deniedInterval,
      previous: kept.previous,
      onChange: () => kept.save?.(() => this.#denyLog.state()),
    });
    this.metrics = new Metrics({
      version: version(),
      loaders: loadersOf(config),
      status: () => this.#controller && statusByHostClock(this.#controller),
      denied: () => this.#denyLog.summaries,
    });
    this.dataplane = measured(dataplane, {
      observe: (load) => this.#observe(load),
      loaderOf: (namespace) => engine.loaderOf(namespace),
    });
    this.onDrift = () => this.metrics.countRepair();
  }

  /** The namespaces with rules may have changed. */
  readonly onReconciled = (): void => this.#denyLog.follow();

  attach(controller: Controller): void {
    this.#controller = controller;
    this.#registration = new ConsulRegistration(this.#config, () => this.status(controller), this.#log);
  }

  status(controller: Controller): Status {
    const status = statusByHostClock(controller);
    const namespaces = status.namespaces.map((one) => ({
      ...{ ...one, loader: this.#loaders.get(one.id) },
      denied: this.#denyLog.summaries.get(one.target),
    }));
    return { controller: this.#about, ...status, namespaces };
  }

  #observe(load: ObservedLoad): void {
    this.metrics.observeLoad(load);
    const { containerId: id, startedAt } = load.namespace;
    this.#loaders.set(namespaceId({ id, startedAt }), load.loader);
    if (this.#loaders.size < MOST_LOADERS) return;
    const known = new Set(this.#controller?.status().namespaces.map(({ id }) => id));
    for (const id of this.#loaders.keys()) if (!known.has(id)) this.#loaders.delete(id);
  }

  /** The denied destinations of all or some namespaces. */
  denied(choose?: (namespace: WorkloadNamespace) => boolean): Promise<readonly DeniedReport[]> {
    return this.#denyLog.answer(choose);
  }

  async close(): Promise<void> {
    await this.#denyLog.close();
    await this.#registration?.close();
  }
}

/** Ages do not depend on the host's clock, but readers compare the times with it. */
const statusByHostClock = (controller: Controller): Status =>
  shifted(controller.status(), Date.now() - steadyNow());

const loadersOf = ({ dryRun, loader }: Config): readonly string[] =>
  dryRun ? ['dry-run'] : loader === 'auto' ? ['nsenter', 'helper'] : [loader];
