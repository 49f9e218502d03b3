/**
 * What the host's rules need around their table: passages through other firewalls, an end of connections whose forward or
 * permit is gone, and word of changes by other programs.
 */
import type { Problem } from '../common/problem.ts';
import type { OtherFirewalls } from '../dataplane/other-firewalls.ts';
import type { HostRuleSet } from '../features/host/model.ts';
import { needsPassages } from '../features/host/passages.ts';
import { connectionRules } from '../inventory/connection-rules.ts';
import type { Passages } from '../inventory/passages.ts';
import type { Outcome } from '../reconciler/reconcile.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import type { RulesetLoader } from '../reconciler/ruleset-driver.ts';
import type { ConnectionRecord } from './connection-records.ts';
import { HostPassages } from './host-passages.ts';
import { OutdatedConnections } from './outdated-connections.ts';
import { RuleWatch, type RuleWatchPorts } from './rule-watch.ts';

export class HostSurroundings {
  readonly #passages: HostPassages;
  readonly #connections: OutdatedConnections;
  readonly #watch: RuleWatch;
  readonly #jobs: Pick<Reconciler, 'idle'>;

  constructor(
    firewalls: OtherFirewalls,
    reconciler: Reconciler,
    { record, ...ports }: Omit<RuleWatchPorts, 'watch' | 'onMoved'> & { readonly record?: ConnectionRecord },
  ) {
    this.#jobs = reconciler;
    this.#passages = new HostPassages(firewalls, reconciler, ports.log);
    this.#connections = new OutdatedConnections(firewalls, ports.log, record);
    this.#watch = new RuleWatch({
      ...ports,
      watch: (...how) => firewalls.watch(...how),
      onMoved: () => this.#passages.verify(),
    });
  }

  /** Undefined while none are needed, or they were not looked at yet. */
  get passages(): Passages | undefined {
    return this.#passages.observed;
  }

  get problems(): readonly Problem[] {
    return [...this.#passages.problems, ...this.#connections.problems];
  }

  /** Call it with each plan. */
  sync(rules: HostRuleSet): void {
    this.#passages.sync(rules);
    this.#watch.start();
  }

  /** A loader that notes the rules that it replaces. */
  around(loader: RulesetLoader): RulesetLoader {
    return {
      inspect: (...how) => loader.inspect(...how),
      clear: (...how) => loader.clear(...how),
      load: async (namespace, ruleset, replaces) => {
        await this.#connections.beforeLoad(replaces);
        return loader.load(namespace, ruleset, replaces);
      },
    };
  }

  /**
   * Call it when these rules are in place. Passages are looked at once more after all jobs: most of them are where they
   * were, and a helper for that would take processor time from those that load rules.
   */
  loaded(rules: HostRuleSet, outcome: Outcome): void {
    this.#connections.loaded(connectionRules(rules.forwards, rules.permits));
    if (outcome === 'applied' && needsPassages(rules))
      void this.#jobs.idle().then(() => this.#passages.verify());
  }

  async close(): Promise<void> {
    await this.#watch.close();
    await this.#connections.idle();
  }
}
