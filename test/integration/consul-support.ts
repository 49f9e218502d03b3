/** What the tests of the Consul adapter share: watches that are recorded, and waiting for them. */

import { waitFor } from '../../lab/wait.ts';
import type { ServiceRef } from '../../src/inventory/service.ts';
import type { Watched } from '../../src/inventory/sources.ts';
import type { ConsulOptions } from '../../src/sources/consul/options.ts';
import { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import type { Timing } from '../../src/sources/consul/timing.ts';

export const pg: ServiceRef = { service: 'pg', datacenter: undefined };

/** Impatient, so that tests are short. */
export const openSource = (options: ConsulOptions, timing: Partial<Timing> = {}): ConsulRuleSource =>
  new ConsulRuleSource(
    { wait: 1_000, timeout: 1_000, ...options },
    { longestPause: 200, reread: 50, ...timing },
  );

export interface Recorded<T> {
  readonly watch: Watched<T>;
  /** Each value that onChange announced. */
  readonly changes: (T | undefined)[];
}

export function recordRules(source: ConsulRuleSource): Recorded<ReadonlyMap<string, string>> {
  const changes: (ReadonlyMap<string, string> | undefined)[] = [];
  const watch: Watched<ReadonlyMap<string, string>> = source.watchRules(() => changes.push(watch.value));
  return { watch, changes };
}

/** Waits for `look` to hold, and returns after how many ms it did. */
export async function until(look: () => unknown, what: string, timeout = 30_000): Promise<number> {
  const from = performance.now();
  await waitFor(() => look() !== undefined && look() !== false, { what, timeout, interval: 5 });
  return performance.now() - from;
}
