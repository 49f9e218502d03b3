/**
 * Makes the live state from what a controller knows, in slices: names are answered on the same thread.
 */
import { inSlices, type Steps } from '../../common/slices.ts';
import type { Config } from '../../config/config.ts';
import { createIndexCache } from '../../diagnostics/suggest.ts';
import type { Instance } from '../../inventory/service.ts';
import type { LiveState } from '../../live/state.ts';
import type { ControllerEntry } from '../../live/tables.ts';
import { formatPrefix } from '../../net/address.ts';
import type { Acl } from '../../policy/acl.ts';
import type { Controller } from '../controller.ts';
import type { Status } from '../status.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Services } from '../wiring.ts';
import { callTable } from './call-table.ts';
import type { Cluster } from './cluster.ts';
import { DeniedRows } from './denied-tables.ts';
import { HostAnswers } from './host-tables.ts';
import { keyTables } from './key-tables.ts';
import { NameRows } from './name-tables.ts';
import { statusTables } from './status-tables.ts';
import type { Timeline } from './timeline.ts';
import { UnwatchedServices } from './unwatched-services.ts';

export interface StateParts {
  readonly controller: Controller;
  readonly telemetry: Pick<Telemetry, 'status' | 'denyLogs' | 'knownCalls'>;
  readonly services: Pick<Services, 'readService' | 'readCatalog'>;
  readonly config: Config;
  /** From the controller's clock to the host's, in milliseconds. */
  readonly offset: () => number;
  readonly now: () => number;
  readonly timeline: Pick<Timeline, 'table'>;
  /** The hosts that publish their status. */
  readonly cluster: Pick<Cluster, 'hosts'>;
}

/** Milliseconds. */
const SLICE = 5;

export class ControllerState {
  readonly #parts: StateParts;
  readonly #rows = new DeniedRows();
  readonly #unwatched: UnwatchedServices;
  readonly #names = new NameRows();
  readonly #host = new HostAnswers();
  readonly #indexOf = createIndexCache();
  #catalog: ReadonlyMap<string, readonly Instance[]> = new Map();

  constructor(parts: StateParts, onChange: () => void) {
    this.#parts = parts;
    this.#unwatched = new UnwatchedServices(parts.services, parts.now, onChange);
  }

  async next(previous: LiveState): Promise<LiveState> {
    if (previous.denied.size > 0) await this.#readCatalog();
    return inSlices(this.#make(previous), { slice: SLICE });
  }

  close(): void {
    this.#unwatched.close();
  }

  *#make(previous: LiveState): Steps<LiveState> {
    const { controller, telemetry, offset, timeline, cluster } = this.#parts;
    const { answers } = controller;
    const status = telemetry.status(controller, offset());
    yield;
    const { acl, services: watched } = answers;
    const unwatched = acl === undefined ? new Map() : this.#unwatched.of(acl, watched);
    const { namespaces = [], unsupported } = answers.containerViews();
    yield;
    const { egress } = telemetry.denyLogs;
    const reports = egress.known();
    const ended = egress.ended();
    const isDenied = [...reports, ...ended].some(({ destinations }) => destinations.length > 0);
    const grants = new Map(status.namespaces.map((one) => [one.target, one.grants]));
    return {
      ...previous,
      ...(yield* statusTables(previous, {
        ...{ status, namespaces, unsupported, controller: this.#controllerEntry(status, acl) },
        projectOf: (id) => (id === undefined ? undefined : answers.containers?.get(id)?.project),
      })),
      ...(yield* keyTables(previous, { acl, ingress: answers.ingressAcl, watched, unwatched })),
      ...(yield* this.#rows.tables(previous, {
        ...{ reports, ended },
        grantsOf: (container) => grants.get(container) ?? [],
        index: isDenied && acl ? this.#index(acl, watched) : undefined,
      })),
      ...(yield* this.#names.tables(previous, namespaces, acl, offset())),
      ...(yield* callTable(previous, telemetry.knownCalls().calls)),
      ...this.#host.tables(previous, answers.hostView(), status, offset()),
      events: timeline.table,
      hosts: cluster.hosts(),
    };
  }

  #index(acl: Acl, watched: ReadonlyMap<string, readonly Instance[]>) {
    const { protectedHosts } = this.#parts.config;
    return this.#indexOf({ acl, catalog: new Map([...this.#catalog, ...watched]), protectedHosts });
  }

  /** It is kept for a minute. Without it, the watched services count. */
  async #readCatalog(): Promise<void> {
    const read = await this.#parts.services.readCatalog().catch(() => undefined);
    this.#catalog = read?.services ?? this.#catalog;
  }

  #controllerEntry({ controller: about }: Status, acl: Acl | undefined): ControllerEntry {
    const { controller, config } = this.#parts;
    const { answers } = controller;
    return {
      version: about?.version ?? '',
      node: about?.node ?? '',
      loader: about?.loader ?? config.loader,
      startedAt: about?.startedAt ?? 0,
      ...{ kvPath: config.consul.kvPath, ingressPath: config.consul.ingressPath },
      ...{ consul: config.consul.address, docker: config.docker.host, mode: config.mode },
      ...answers.templateFacts(),
      protectedHosts: config.protectedHosts.map(formatPrefix),
      isReady: answers.isReady,
      unreadable: answers.unreadable,
      publish: config.publish,
      keysUnknown: acl === undefined ? 'the keys were not read yet' : undefined,
    };
  }
}
