/**
 * Observes a controller: measures its loads, collects denied destinations, answers questions through the API, and
 * registers it in Consul.
 */
import { hostname } from 'node:os';
import { version } from '../common/assets.ts';
import { EngineError, UserError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Config } from '../config/config.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import { type ServiceReader, withServices } from '../diagnostics/read-services.ts';
import { parseServices } from '../diagnostics/service-names.ts';
import type { Snapshot } from '../diagnostics/snapshot.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import type { DiagnosticsControls } from './api/diagnostics-routes.ts';
import type { SnapshotQuery } from './api/diagnostics-schema.ts';
import { ConsulRegistration } from './consul-registration.ts';
import type { Controller } from './controller.ts';
import { type DeniedReport, type DeniedState, DenyLog } from './deny-log.ts';
import { measured, type ObservedLoad } from './metrics/measured-dataplane.ts';
import { Metrics } from './metrics/metrics.ts';
import { type About, type Status, shifted } from './status.ts';
import type { Engine } from './wiring.ts';

/** More are looked through for those that are gone. */
const MOST_LOADERS = 2_000;

type Observed = Pick<Engine, 'dataplane' | 'loaderOf'>;

/** What was denied, as another run of the controller kept it, and is to know it. */
export interface KeptDenied {
  readonly former?: DeniedState | undefined;
  readonly save?: (state: () => DeniedState) => void;
}

export class Telemetry implements DiagnosticsControls {
  readonly metrics: Metrics;
  /** The one it was given, measured. */
  readonly dataplane: Dataplane;
  readonly onDrift: () => void;
  readonly #about: About;
  readonly #refusals: DenyLog;
  readonly #services: ServiceReader;
  readonly #config: Config;
  readonly #log: Logger;
  /** By namespace: what loaded it at last. */
  readonly #loaders = new Map<NamespaceId, string>();
  #controller: Controller | undefined;
  #presence: ConsulRegistration | undefined;

  constructor(config: Config, engine: Observed, services: ServiceReader, log: Logger, kept: KeptDenied = {}) {
    const { dataplane } = engine;
    const { loader, template, deniedInterval } = config;
    this.#about = { version: version(), node: hostname(), loader, template, startedAt: Date.now() };
    this.#services = services;
    this.#config = config;
    this.#log = log;
    this.#refusals = new DenyLog({
      dataplane,
      log,
      namespaces: () => this.#controller?.loadedNamespaces() ?? [],
      now: Date.now,
      interval: deniedInterval,
      former: kept.former,
      onChange: () => kept.save?.(() => this.#refusals.state()),
    });
    this.metrics = new Metrics({
      version: version(),
      loaders: loadersOf(config),
      status: () => this.#controller && wallStatus(this.#controller),
      denied: () => this.#refusals.summaries,
    });
    this.dataplane = measured(dataplane, {
      observe: (load) => this.#observe(load),
      onRefusals: ({ namespace: { containerId, startedAt }, ...found }) =>
        this.#refusals.found(`${containerId}@${startedAt}`, found),
      loaderOf: (namespace) => engine.loaderOf(namespace),
    });
    this.onDrift = () => this.metrics.countRepair();
  }

  /** What is loaded somewhere may be another now. */
  readonly onReconciled = (): void => this.#refusals.follow();

  attach(controller: Controller): void {
    this.#controller = controller;
    this.#presence = new ConsulRegistration(this.#config, () => this.status(controller), this.#log);
  }

  status(controller: Controller): Status {
    const status = wallStatus(controller);
    const namespaces = status.namespaces.map((one) => ({
      ...{ ...one, loader: this.#loaders.get(one.id) },
      denied: this.#refusals.summaries.get(one.target),
    }));
    return { controller: this.#about, ...status, namespaces };
  }

  #observe(load: ObservedLoad): void {
    this.metrics.observeLoad(load);
    const { containerId, startedAt } = load.namespace;
    this.#loaders.set(`${containerId}@${startedAt}`, load.loader);
    if (this.#loaders.size < MOST_LOADERS) return;
    const known = new Set(this.#controller?.status().namespaces.map(({ id }) => id));
    for (const id of this.#loaders.keys()) if (!known.has(id)) this.#loaders.delete(id);
  }

  snapshot({ scope, also }: SnapshotQuery): Promise<Snapshot> {
    const picture = this.#controller?.snapshot();
    if (picture === undefined) throw new UserError('the controller has not read the rules yet; try again');
    const { kvPath, address: consul } = this.#config.consul;
    const whole = { ...picture, template: this.#about.template, kvPath, consul };
    return withServices(whole, this.#services, scope, parseServices(also ?? ''));
  }

  async denied({ container }: { readonly container?: string | undefined }): Promise<readonly DeniedReport[]> {
    if (container === undefined) return this.#refusals.answer();
    const containers = this.#controller?.containers;
    if (containers === undefined)
      throw new EngineError('the Docker Engine has not listed its containers yet; try again');
    const { id } = pickContainer(containers, container);
    return this.#refusals.answer(({ target, members }) =>
      [target, ...members.map((member) => member.container)].some((one) => one.id === id),
    );
  }

  async close(): Promise<void> {
    await this.#refusals.close();
    await this.#presence?.close();
  }
}

/** Ages are right whoever has set the host's clock, and those who read them go by that clock. */
const wallStatus = (controller: Controller): Status => shifted(controller.status(), Date.now() - steadyNow());

const loadersOf = ({ dryRun, loader }: Config): readonly string[] =>
  dryRun ? ['dry-run'] : loader === 'auto' ? ['nsenter', 'helper'] : [loader];
