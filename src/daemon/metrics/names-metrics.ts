/**
 * Metrics of rules by name. A series is there as long as names are answered in place of its container.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { DenialCause, NamesReport } from '../../features/names/name-report.ts';
import { namesSummary } from '../../features/names/summary.ts';
import type { ResolverCounts } from '../../name-proxy/caching-resolver.ts';

/** By resolver: `upstream` for those of the host, `consul`. */
export type ResolverReports = Readonly<Record<string, ResolverCounts>>;

type Reports = () => ReadonlyMap<string, NamesReport>;

const STATES = ['answering', 'waiting', 'unavailable'] as const;

/** More containers than this are left out. */
const MOST_CONTAINERS = 500;

export function addNamesMetrics(registry: Registry, reports: Reports): void {
  addGauges(registry, reports);
  const counter = (name: string, help: string, countOf: (report: NamesReport) => number) =>
    new Counter({
      ...{ name: `egresstrator_names_${name}_total`, help: `${help}, by container`, registers: [registry] },
      labelNames: ['container'],
      collect() {
        this.reset();
        for (const [container, report] of shown(reports)) this.inc({ container }, countOf(report));
      },
    });
  counter('questions', 'Questions for names', ({ counts }) => counts.asked);
  counter('answered', 'Questions for names that were answered', ({ counts }) => counts.answered);
  counter(
    'dropped',
    'Messages for names, and connections, over a limit of the namespace',
    (one) => one.dropped,
  );
  for (const { name, help, causes } of COUNTED)
    counter(name, help, ({ counts }) => causes.reduce((sum, cause) => sum + counts.denied[cause], 0));
}

const shown = (reports: Reports) => [...reports()].slice(0, MOST_CONTAINERS);

function addGauges(registry: Registry, reports: Reports): void {
  const registers = [registry];
  new Gauge({
    name: 'egresstrator_names_namespaces',
    help: 'Namespaces with rules by name, by whether their names are answered',
    labelNames: ['state'],
    registers,
    collect() {
      const states = [...reports().values()].map(({ state }) => state);
      for (const state of STATES) this.set({ state }, states.filter((one) => one === state).length);
    },
  });
  new Gauge({
    name: 'egresstrator_names_addresses',
    help: 'Addresses that are granted by name, by container',
    labelNames: ['container'],
    registers,
    collect() {
      this.reset();
      for (const [container, report] of shown(reports))
        this.set({ container }, namesSummary(report).addresses);
    },
  });
  new Gauge({
    name: 'egresstrator_names_unanswered',
    help: 'Questions for names that wait for an answer now',
    registers,
    collect() {
      this.set([...reports().values()].reduce((sum, one) => sum + one.unanswered, 0));
    },
  });
}

/** Of the resolvers that all namespaces share. */
export function addResolverMetrics(registry: Registry, counts: () => ResolverReports | undefined): void {
  const counter = (
    name: string,
    help: string,
    add: (one: Counter, resolver: string, of: ResolverCounts) => void,
  ) =>
    new Counter({
      ...{ name: `egresstrator_names_resolver_${name}_total`, help, registers: [registry] },
      labelNames: name === 'questions' ? ['resolver', 'source'] : ['resolver'],
      collect() {
        this.reset();
        for (const [resolver, of] of Object.entries(counts() ?? {})) add(this, resolver, of);
      },
    });
  const help = 'Questions of containers that need a resolver, by resolver and by where the answer is from';
  counter('questions', help, (one, resolver, { asked, cached, shared }) => {
    one.inc({ resolver, source: 'server' }, asked);
    one.inc({ resolver, source: 'cache' }, cached);
    one.inc({ resolver, source: 'shared' }, shared);
  });
  counter(
    'failures',
    'Questions at servers that were not answered, or with an error, by resolver',
    (one, resolver, { failed }) => one.inc({ resolver }, failed),
  );
  counter(
    'wait_seconds',
    'Time until servers have answered, or have not, of all questions together, by resolver',
    (one, resolver, { waited }) => one.inc({ resolver }, waited / 1000),
  );
}

const COUNTED: readonly { name: string; help: string; causes: readonly DenialCause[] }[] = [
  {
    name: 'denied',
    help: 'Questions for names that no rule grants; in audit mode those that would be denied',
    causes: ['name', 'type', 'fresh', 'address'],
  },
  {
    name: 'limited',
    help: 'Questions that failed because a limit of addresses is reached',
    causes: ['limit'],
  },
  { name: 'failed', help: 'Questions that no resolver answered, or not well', causes: ['failed'] },
];
