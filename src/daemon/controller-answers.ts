/**
 * What the controller knows, for status, questions and metrics. Reading it changes nothing.
 */
import { HOST_OFF, type HostView, hostSummary } from '../diagnostics/host-view.ts';
import type { IngressSnapshot } from '../diagnostics/ingress-snapshot.ts';
import { networksSummary } from '../diagnostics/networks-view.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { Instance } from '../inventory/service.ts';
import type { Mode } from '../inventory/workload.ts';
import type { Acl } from '../policy/acl.ts';
import type { ControllerOptions } from './controller-ports.ts';
import { type HostRules, hostViewOf } from './host-rules.ts';
import type { IngressRules } from './ingress-rules.ts';
import type { InventoryReader } from './inventory-reader.ts';
import type { NetworksRules } from './networks-rules.ts';
import type { Containers, KnownSnapshot } from './snapshot.ts';
import type { Status } from './status.ts';
import type { WorkloadRules } from './workload-rules.ts';

/** The parts of the controller; those of features that are off are undefined. */
export interface ControllerParts {
  readonly sources: InventoryReader;
  readonly workloads: WorkloadRules;
  readonly ingress: IngressRules;
  readonly host: HostRules | undefined;
  readonly networks: NetworksRules | undefined;
}

type AnswerOptions = Pick<ControllerOptions, 'mode' | 'protectedHosts'>;

export class ControllerAnswers {
  readonly #parts: ControllerParts;
  readonly #options: AnswerOptions;

  constructor(parts: ControllerParts, options: AnswerOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  status(): Status {
    const { networks } = this.#parts;
    const view = networks?.view(this.#hostView().state === 'loaded');
    return { ...this.quickStatus(), ...(view && { networks: networksSummary(view) }) };
  }

  /** Without what costs more for large files. */
  quickStatus(): Status {
    const ingress = this.#parts.ingress.status();
    return {
      ...this.#parts.workloads.status(),
      ...(ingress.length > 0 && { ingress }),
      unsupported: this.unsupported().map(({ container, problem }) => ({ name: container.name, problem })),
      ...this.#hostStatus(),
    };
  }

  unsupported() {
    const { workloads, ingress } = this.#parts;
    return [...workloads.unsupported, ...ingress.unsupported];
  }

  /** The host's rules, as far as known. */
  hostView(): HostView {
    const view = this.#hostView();
    return { ...view, networks: this.#parts.networks?.view(view.state === 'loaded') };
  }

  /** What is wrong with networks.json, or with what follows from it. */
  get networksErrors(): number {
    const problems = this.#parts.networks?.problems ?? [];
    return problems.filter(({ severity }) => severity === 'error').length;
  }

  /** What is known of names, by container. */
  nameReports(): ReadonlyMap<string, NamesReport> {
    return this.#parts.workloads.nameReports();
  }

  /** Of the resolvers that are asked for names. */
  get resolverCounts(): WorkloadRules['resolverCounts'] {
    return this.#parts.workloads.resolverCounts;
  }

  /** The containers, for questions. */
  containerViews(): Containers {
    return this.#parts.workloads.containerViews();
  }

  /** The data for answers; undefined until the rules are known. */
  snapshot(): KnownSnapshot | undefined {
    const { acl } = this;
    if (acl === undefined) return undefined;
    const { workloads, sources } = this.#parts;
    const { protectedHosts } = this.#options;
    return {
      ...{ acl, catalog: sources.consul.services, unread: new Map(), protectedHosts },
      ...{ host: this.hostView(), ingress: this.ingressSnapshot() },
      ...this.containerViews(),
      ...workloads.templateFacts(),
    };
  }

  /** The facts about the template that answers need. */
  templateFacts(): ReturnType<WorkloadRules['templateFacts']> {
    return this.#parts.workloads.templateFacts();
  }

  /** The instances of the services that are watched. */
  get services(): ReadonlyMap<string, readonly Instance[]> {
    return this.#parts.sources.consul.services;
  }

  /** What is known of ingress keys; `acl`: the keys, if the controller does not watch them. */
  ingressSnapshot(acl: Acl | undefined = this.ingressAcl): IngressSnapshot | undefined {
    const { ingress, sources } = this.#parts;
    const { containers = new Map(), networks } = sources;
    return acl && ingress.snapshot(acl, { containers, networks });
  }

  /** The namespaces with rules, as far as known. */
  loadedNamespaces(): readonly WorkloadNamespace[] {
    return this.#parts.workloads.loadedNamespaces();
  }

  /** The same with rules about their callers. */
  loadedIngress(): readonly IngressNamespace[] {
    return this.#parts.ingress.loadedNamespaces();
  }

  /** The namespaces whose callers are limited, with rules or not yet. */
  ingressNamespaces(): readonly IngressNamespace[] {
    return this.#parts.ingress.namespaces();
  }

  /** Who may reach containers that name ingress keys. */
  ingressViews(): readonly IngressView[] {
    return this.#parts.ingress.views();
  }

  /** The keys in Consul; undefined until they are known. */
  get acl(): Acl | undefined {
    const { workloads, sources } = this.#parts;
    return workloads.aclOf(sources.consul);
  }

  /** The same of ingress keys; undefined too if no container names one. */
  get ingressAcl(): Acl | undefined {
    const { ingress, sources } = this.#parts;
    return ingress.aclOf(sources.consul);
  }

  /** The mode of workloads without EGRESSTRATOR_MODE. */
  get mode(): Mode {
    return this.#options.mode;
  }

  /** The running containers; undefined until they are listed. */
  get containers(): ReadonlyMap<ContainerId, Container> | undefined {
    return this.#parts.sources.containers;
  }

  /** Names or ids of containers that the Engine cannot inspect. */
  get unreadable(): readonly string[] {
    return this.#parts.sources.unreadable;
  }

  /** True once everything has been read that is needed at the start. */
  get isReady(): boolean {
    return this.#parts.sources.isReady;
  }

  /** Without networks.json. */
  #hostView(): HostView {
    const { host, sources } = this.#parts;
    const { containers } = sources;
    if (host === undefined) return { ...HOST_OFF, containers: [...(containers?.values() ?? [])] };
    return hostViewOf(host.status(), sources.hostStatus(), containers);
  }

  #hostStatus(): Pick<Status, 'host' | 'sources'> {
    const { host, sources, workloads } = this.#parts;
    const read = [...sources.status(), ...workloads.nameSources()];
    if (host === undefined) return { sources: read };
    return { host: hostSummary(this.#hostView()), sources: [...read, ...sources.hostStatus()] };
  }
}
