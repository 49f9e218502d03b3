/**
 * The controller's metrics for Prometheus. Gauges are read at the scrape, counters are counted at the event. The one importer of prom-client.
 *
 * No label grows without bound: services share one source label, and denied packets are counted for at most
 * `MOST_CONTAINERS` names.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { NAMESPACE_STATES } from '../../features/egress/states.ts';
import { INGRESS_STATES } from '../../features/ingress/status.ts';
import type { NamesReport } from '../../features/names/name-report.ts';
import type { DeniedSummary } from '../../inventory/denied-record.ts';
import { type SourceStatus, type Status, unsupportedNames } from '../status.ts';
import { addHostMetrics, type HostMetrics } from './host-metrics.ts';
import type { ObservedLoad } from './measured-dataplane.ts';
import { addNamesMetrics, addResolverMetrics, type ResolverReports } from './names-metrics.ts';
import { addNetworksMetrics } from './networks-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

export interface MetricsOptions {
  readonly version: string;
  /** The possible loaders: helper, nsenter, dry-run. */
  readonly loaders: readonly string[];
  /** Undefined until the controller runs. */
  readonly status: () => Status | undefined;
  /** The denied packets since the start, by container. */
  readonly denied: () => ReadonlyMap<string, DeniedSummary>;
  /** The same of calls that ingress rules denied. */
  readonly deniedCalls?: () => ReadonlyMap<string, DeniedSummary>;
  /** Undefined where the host has no rules of ours. */
  readonly host?: HostMetrics | undefined;
  /** What is known of names, by container. */
  readonly names?: () => ReadonlyMap<string, NamesReport>;
  /** What resolvers were asked; undefined until a container wants names. */
  readonly nameResolvers?: () => ResolverReports | undefined;
  /** There is a networks.json. */
  readonly hasNetworks?: boolean | undefined;
}

const SEVERITIES = ['error', 'warning'] as const;

/** More containers than this are counted together as `other`. */
const MOST_CONTAINERS = 500;

/** Seconds: a load by nsenter takes 5 ms, by a helper 100 ms and more. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Metrics {
  readonly #registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #loads: Counter;
  readonly #durations: Histogram;
  readonly #repairs: Counter;

  constructor(options: MetricsOptions) {
    this.#options = options;
    const registers = [this.#registry];
    this.#loads = new Counter({
      name: 'egresstrator_loads_total',
      help: 'Rule sets loaded in namespaces, by outcome and loader',
      labelNames: ['outcome', 'loader'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'egresstrator_load_duration_seconds',
      help: 'Time from the start of a load to the confirmation that it is in the kernel',
      labelNames: ['loader'],
      buckets: BUCKETS,
      registers,
    });
    this.#repairs = new Counter({
      name: 'egresstrator_drift_repairs_total',
      help: 'Rules in a kernel that were found changed, and replaced',
      registers,
    });
    for (const loader of options.loaders)
      for (const outcome of ['loaded', 'failed', 'gone']) this.#loads.inc({ outcome, loader }, 0);
    this.#addStates();
    this.#addDenied();
    if (options.host !== undefined) addHostMetrics(this.#registry, options.host);
    if (options.hasNetworks) addNetworksMetrics(this.#registry, () => options.status()?.networks);
    if (options.names !== undefined) addNamesMetrics(this.#registry, options.names);
    if (options.nameResolvers !== undefined) addResolverMetrics(this.#registry, options.nameResolvers);
    addProcessMetrics(this.#registry);
  }

  observeLoad({ outcome, loader, seconds }: ObservedLoad): void {
    this.#loads.inc({ outcome, loader });
    if (outcome === 'loaded') this.#durations.observe({ loader }, seconds);
  }

  countRepair(): void {
    this.#repairs.inc();
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #addStates(): void {
    const { version, status } = this.#options;
    this.#gauge('egresstrator_build_info', 'Version of the running controller', ['version'], (gauge) =>
      gauge.set({ version }, 1),
    );
    this.#gauge('egresstrator_namespaces', 'Network namespaces by state', ['state'], (gauge) => {
      const states = status()?.namespaces.map((one) => one.state) ?? [];
      for (const state of NAMESPACE_STATES)
        gauge.set({ state }, states.filter((one) => one === state).length);
    });
    this.#gauge(
      'egresstrator_ingress_namespaces',
      'Namespaces with ingress keys by state',
      ['state'],
      (gauge) => {
        const ingress = status()?.ingress ?? [];
        for (const state of INGRESS_STATES)
          gauge.set({ state }, ingress.filter((one) => one.state === state).length);
      },
    );
    this.#gauge('egresstrator_workloads_unsupported', 'Workloads that cannot have rules', [], (gauge) =>
      gauge.set(unsupportedNames(status()).size),
    );
    this.#gauge('egresstrator_rule_problems', 'Distinct problems of rules in use', ['severity'], (gauge) => {
      const problems = distinctProblems(status());
      for (const severity of SEVERITIES)
        gauge.set({ severity }, problems.filter((one) => one === severity).length);
    });
    this.#addSources();
  }

  #addSources(): void {
    const sources = () => groupSources(this.#options.status()?.sources ?? []);
    const time = 'egresstrator_source_confirmed_timestamp_seconds';
    this.#gauge(time, 'When a source was last confirmed; for services the oldest', ['source'], (gauge) => {
      for (const [source, { confirmedAt }] of sources())
        if (confirmedAt !== undefined) gauge.set({ source }, confirmedAt / 1000);
    });
    const failing = 'egresstrator_sources_failing';
    this.#gauge(failing, 'Sources that cannot be read now', ['source'], (gauge) => {
      for (const [source, group] of sources()) gauge.set({ source }, group.failing);
    });
    const outdated = 'egresstrator_sources_outdated';
    const help = 'Sources that grant nothing because they are older than --max-age';
    this.#gauge(outdated, help, ['source'], (gauge) => {
      for (const [source, group] of sources()) gauge.set({ source }, group.outdated);
    });
  }

  #addDenied(): void {
    const { denied, deniedCalls = () => new Map() } = this.#options;
    const packets = 'Denied packets; in audit mode packets that would be denied';
    this.#perContainer('egresstrator_denied_packets_total', packets, denied, 'packets');
    this.#perContainer(
      'egresstrator_denied_spoofed_packets_total',
      'Denied packets with a forged source address or a source route',
      ...([denied, 'spoofed'] as const),
    );
    this.#perContainer(
      'egresstrator_denied_frames_total',
      'Frames of packet sockets that were dropped; in audit mode those that passed',
      ...([denied, 'frames'] as const),
    );
    this.#recordFull('egresstrator_denied_record_full', 'destinations', denied);
    const calls = 'Packets of callers that ingress rules denied; in audit mode those that would be denied';
    this.#perContainer('egresstrator_ingress_denied_packets_total', calls, deniedCalls, 'packets');
    this.#recordFull('egresstrator_ingress_denied_record_full', 'callers', deniedCalls);
  }

  #recordFull(name: string, what: string, denied: MetricsOptions['denied']): void {
    const help = `1 while the record of denied ${what} is full, by container`;
    this.#gauge(name, help, ['container'], (gauge) => {
      const full = [...denied()].map(([container, { isFull }]) => [container, isFull ? 1 : 0] as const);
      for (const [container, containers] of bounded(new Map(full))) gauge.set({ container }, containers);
    });
  }

  #perContainer(
    name: string,
    help: string,
    denied: MetricsOptions['denied'],
    kind: 'packets' | 'spoofed' | 'frames',
  ): void {
    new Counter({
      ...{ name, help: `${help}, by container`, labelNames: ['container'], registers: [this.#registry] },
      collect() {
        this.reset();
        const counts = [...denied()].map(([container, summary]) => [container, summary[kind]] as const);
        for (const [container, packets] of bounded(new Map(counts))) this.inc({ container }, packets);
      },
    });
  }

  #gauge(name: string, help: string, labelNames: readonly string[], fill: (gauge: Gauge) => void): void {
    new Gauge({
      ...{ name, help, labelNames: [...labelNames], registers: [this.#registry] },
      collect() {
        this.reset();
        fill(this);
      },
    });
  }
}

interface SourceGroup {
  confirmedAt: number | undefined;
  failing: number;
  outdated: number;
}

/** `rules`, `containers`, and all services as one. */
function groupSources(sources: readonly SourceStatus[]): ReadonlyMap<string, SourceGroup> {
  const groups = new Map<string, SourceGroup>();
  for (const { name, confirmedAt, error, outdated } of sources) {
    const source = name.startsWith('service ') ? 'services' : name;
    const group = groups.get(source) ?? { confirmedAt: Number.POSITIVE_INFINITY, failing: 0, outdated: 0 };
    groups.set(source, group);
    group.failing += error === undefined ? 0 : 1;
    group.outdated += outdated ? 1 : 0;
    const known = confirmedAt !== undefined && group.confirmedAt !== undefined;
    group.confirmedAt = known ? Math.min(group.confirmedAt ?? 0, confirmedAt) : undefined;
  }
  return groups;
}

/** A bad line is one problem, however many containers hold its key. */
const distinctProblems = (status: Status | undefined): readonly string[] => {
  const { namespaces = [], ingress = [] } = status ?? {};
  const problems = [...namespaces, ...ingress].flatMap((one) => one.problems);
  const distinct = new Map(problems.map((one) => [JSON.stringify(one), one.severity]));
  return [...distinct.values()];
};

/** The first names stay, so that a counter never goes back. */
const bounded = (packets: ReadonlyMap<string, number>): ReadonlyMap<string, number> => {
  const kept = new Map<string, number>();
  for (const [container, count] of packets) {
    const label = kept.size < MOST_CONTAINERS || kept.has(container) ? container : 'other';
    kept.set(label, (kept.get(label) ?? 0) + count);
  }
  return kept;
};
