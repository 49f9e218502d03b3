/**
 * Metrics of networks.json. They exist only where there is one.
 */
import { Gauge, type Registry } from 'prom-client';
import { ENTRY_STATES } from '../../features/networks/entry-states.ts';
import type { NetworksSummary } from '../status.ts';

const KINDS = ['networks', 'attachments', 'policies', 'routes'] as const;

/** `summary`: undefined until the controller runs. */
export function addNetworksMetrics(registry: Registry, summary: () => NetworksSummary | undefined): void {
  const gauge = (name: string, help: string, labelNames: string[], fill: (one: Gauge) => void) => {
    new Gauge({
      ...{ name: `egresstrator_networks_${name}`, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        fill(this);
      },
    });
  };
  gauge(
    'entries',
    'Entries of networks.json, and containers with its routes, by state',
    ['kind', 'state'],
    (one) => {
      for (const kind of KINDS)
        for (const state of ENTRY_STATES) {
          const entries = summary()?.[kind] ?? [];
          one.set({ kind, state }, entries.filter((entry) => entry.state === state).length);
        }
    },
  );
  gauge(
    'steps_failing',
    'What follows from networks.json and could not be made; it is tried again',
    [],
    (one) => one.set(summary()?.failing.length ?? 0),
  );
  gauge(
    'file_failing',
    '1 while the present networks.json is not used; the last good one counts',
    [],
    (one) => one.set(summary()?.error === undefined ? 0 : 1),
  );
  gauge('file_read_timestamp_seconds', 'When networks.json was last read', [], (one) => {
    const readAt = summary()?.readAt;
    if (readAt !== undefined) one.set(readAt / 1000);
  });
}
