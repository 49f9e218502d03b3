/**
 * Metrics of the process, by Prometheus's usual names. They are read at the scrape: the library's own collector
 * samples the event loop each 10 ms, which was most of the work of an idle controller.
 */
import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    ...{ name: 'process_cpu_seconds_total', help: 'Processor time, user and system, in seconds', registers },
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  for (const [name, [help, read]] of Object.entries(STATES))
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
}

const startedAt = Date.now() / 1000 - process.uptime();

const STATES: Readonly<Record<string, readonly [string, () => number]>> = {
  process_start_time_seconds: ['When the process started, in seconds since the epoch', () => startedAt],
  process_resident_memory_bytes: ['Resident memory', () => process.memoryUsage.rss()],
  process_open_fds: ['Open file descriptors', () => readdirSync('/proc/self/fd').length],
  nodejs_heap_size_used_bytes: ['Memory that objects take', () => process.memoryUsage().heapUsed],
};
