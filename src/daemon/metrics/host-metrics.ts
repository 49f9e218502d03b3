/**
 * Metrics of the host's rules. They exist only where the host has rules of ours.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import { HOST_STATES } from '../../features/host/states.ts';
import type { DeniedSummary } from '../../inventory/denied-record.ts';
import type { HostSummary } from '../status.ts';

export interface HostMetrics {
  /** Undefined until the controller runs. */
  readonly summary: () => HostSummary | undefined;
  /** Undefined until they are read. */
  readonly denied: () => Pick<DeniedSummary, 'packets' | 'isFull'> | undefined;
}

const SEVERITIES = ['error', 'warning'] as const;

export function addHostMetrics(registry: Registry, { summary, denied }: HostMetrics): void {
  const gauge = (name: string, help: string, fill: (one: Gauge) => void, labelNames: string[] = []) => {
    new Gauge({
      ...{ name: `egresstrator_host_${name}`, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        fill(this);
      },
    });
  };
  const number = (name: string, help: string, value: (host: HostSummary) => number) =>
    gauge(name, help, (one) => one.set(value(summary() ?? NONE)));
  gauge(
    'rules',
    "1 for the state of the host's rules",
    (one) => {
      for (const state of HOST_STATES) one.set({ state }, summary()?.state === state ? 1 : 0);
    },
    ['state'],
  );
  number('openings', 'Container ports that callers may reach', ({ openings }) => openings);
  number(
    'closed_ports',
    'Published ports of guarded containers that nobody may call',
    ({ closed }) => closed,
  );
  number('forwards', 'Ports of this host that lead to containers', ({ forwards }) => forwards);
  number('permits', 'Who may reach whom between networks', ({ permits }) => permits);
  gauge(
    'problems',
    "Problems of the host's rules",
    (one) => {
      const problems = summary()?.problems ?? [];
      for (const severity of SEVERITIES)
        one.set({ severity }, problems.filter((problem) => problem.severity === severity).length);
    },
    ['severity'],
  );
  gauge(
    'passages',
    'Rules in other firewalls that let pass what is forwarded',
    (one) => {
      const passages = summary()?.passages ?? [];
      for (const state of ['kept', 'moved', 'absent'])
        one.set({ state }, passages.filter((passage) => passage.state === state).length);
    },
    ['state'],
  );
  gauge('denied_record_full', '1 while the record of denied calls is full', (one) =>
    one.set(denied()?.isFull ? 1 : 0),
  );
  new Counter({
    name: 'egresstrator_host_denied_packets_total',
    help: 'Packets of callers that the ports guard denied; with --ports observe those that it would deny',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(denied()?.packets ?? 0);
    },
  });
}

const NONE = { state: 'pending', openings: 0, closed: 0, forwards: 0, permits: 0, problems: [] } as const;
