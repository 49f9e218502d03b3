/**
 * The host's rules in the controller: their feature, and the reconciler's part of it.
 */
import type { Condition } from '../common/condition.ts';
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { Dataplane, HostDataplane } from '../dataplane/dataplane.ts';
import type { OtherFirewalls } from '../dataplane/other-firewalls.ts';
import type { HostView } from '../diagnostics/host-view.ts';
import type { ContainerCallers } from '../features/host/callers.ts';
import {
  type Claims,
  Host,
  type HostDesired,
  type HostMemory,
  type HostOptions,
} from '../features/host/host.ts';
import type { Guard, HostRuleSet } from '../features/host/model.ts';
import {
  type ContainerPort,
  type PersistedPorts,
  type PortOverride,
  PortOverrides,
} from '../features/host/port-overrides.ts';
import type { HostState } from '../features/host/states.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { HOST } from '../inventory/namespace.ts';
import type { Passages } from '../inventory/passages.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords } from '../reconciler/load-records.ts';
import type { Reconciler, ReconcilerOptions } from '../reconciler/reconciler.ts';
import { type ObservedRules, RulesetDriver, type RulesetLoader } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import type { Rendered } from '../rendering/fingerprint.ts';
import { ConnectionRecords } from './connection-records.ts';
import { HostSurroundings } from './host-surroundings.ts';
import { LimitedWait } from './limited-wait.ts';
import { type DeniedReports, rulesetLoader } from './ruleset-loader.ts';
import type { HostTexts } from './state/host-files.ts';
import type { SourceStatus } from './status.ts';

/** So many times the grace the first rules wait for containers that the Engine does not describe. */
const GRACES = 10;

export interface HostRulesOptions extends Pick<ReconcilerOptions, 'now' | 'retry' | 'random'> {
  /** Milliseconds in which first answers usually come. */
  readonly grace: number;
  readonly host: HostOptions;
}

export interface HostRulesPorts {
  readonly dataplane: Dataplane;
  readonly hostDataplane?: HostDataplane | undefined;
  readonly otherFirewalls?: OtherFirewalls | undefined;
  readonly log: Logger;
  /** Called when the next sync may know more, without another change. */
  readonly requestSync: () => void;
  readonly onDrift?: (name: string) => void;
  readonly deniedReports?: DeniedReports | undefined;
  /** Resolves when the rules of an earlier run are restored, where they had to be. */
  readonly hostRestored?: Promise<void> | undefined;
  /** Called when rules are in place, for the next boot. */
  readonly persistHostRules?: ((fingerprint: string, texts: () => HostTexts) => void) | undefined;
  /** Of removed rules; default: what the previous run has left is not known. */
  readonly connectionRecords?: ConnectionRecords | undefined;
  /** Ports that were opened or closed by hand in the previous run. */
  readonly previousPorts?: PersistedPorts | undefined;
  /** Called with all of them after a change. */
  readonly persistPorts?: (ports: PersistedPorts) => void;
  /** Undefined: nothing is persisted. */
  readonly hostMemory?: HostMemory | undefined;
}

export interface HostRulesStatus {
  readonly guard: Guard | undefined;
  /** Undefined until all that the rules depend on is known. */
  readonly desired: HostRuleSet | undefined;
  readonly rendered: Rendered | undefined;
  readonly problems: readonly Problem[];
  readonly condition: Condition | undefined;
  /** Of the loaded rules. */
  readonly fingerprint: string | undefined;
  /** When they were loaded or last verified, in ms by the controller's clock. */
  readonly verifiedAt: number | undefined;
  readonly lastError: string | undefined;
  readonly byHand: PersistedPorts;
  /** Undefined while none are needed, or they were not looked at yet. */
  readonly passages: Passages | undefined;
  /** Containers whose ports are open to the callers alone that they name, with a text for these. */
  readonly limited: ReadonlyMap<ContainerId, string>;
}

/** Callers of the containers that say themselves who may call. */
export interface KnownCallers {
  /** Unchanged ones are the identical object. */
  readonly callers: ReadonlyMap<ContainerId, ContainerCallers>;
  /** More of them may be known in a moment. */
  readonly awaits: boolean;
}

const NO_CALLERS: KnownCallers = { callers: new Map(), awaits: false };

export class HostRules {
  readonly #feature: Host;
  readonly #guard: Guard | undefined;
  readonly #byHand: PortOverrides;
  readonly #states: FeatureReconciler<HostDesired, ObservedRules>;
  /** Undefined where they are left as they are. */
  readonly #surroundings: HostSurroundings | undefined;
  readonly #wait: LimitedWait;

  constructor(options: HostRulesOptions, reconciler: Reconciler, ports: HostRulesPorts) {
    const { host, now, retry, random } = options;
    const { dataplane, hostDataplane, otherFirewalls, log, onDrift } = ports;
    const { previousPorts: previous, persistPorts, hostMemory } = ports;
    this.#guard = host.guard;
    this.#wait = new LimitedWait(GRACES * options.grace, now, ports.requestSync);
    this.#byHand = new PortOverrides({ previous, keep: (all) => persistPorts?.(all), now });
    this.#feature = new Host(host, this.#byHand, hostMemory);
    const onLost = () => this.#states.verify(HOST);
    this.#surroundings =
      otherFirewalls &&
      new HostSurroundings(otherFirewalls, reconciler, {
        ...{ log, retry, random, onLost },
        record: (ports.connectionRecords ?? new ConnectionRecords()).of(HOST),
      });
    const loader = after(ports.hostRestored, rulesetLoader(dataplane, hostDataplane, ports.deniedReports));
    const context = {
      loader: this.#surroundings?.around(loader) ?? loader,
      records: new LoadRecords(undefined, () => {}),
      log,
    };
    const driver = new RulesetDriver(this.#feature, { ...context, onDrift: () => onDrift?.('the host') });
    const reports = rulesetReports(this.#feature, context);
    this.#states = reconciler.add(driver, {
      ...reports,
      ended: (job, ...how) => {
        reports.ended?.(job, ...how);
        const { rendered, rules } = job.desired;
        if (job.isReleased || job.observed?.loaded.fingerprint !== rendered.fingerprint) return;
        this.#surroundings?.loaded(rules, how[0]);
        ports.persistHostRules?.(rendered.fingerprint, () => ({
          loaded: rendered.text,
          afterReboot: this.#feature.textAfterReboot(job.desired),
        }));
      },
    });
  }

  /**
   * While something is not known, what is loaded stays. But a workload can make the Engine silent about itself for ever,
   * and must not keep others open: then the rules are those for the containers that are known.
   */
  sync(inventory: Inventory, claims?: Claims, { callers, awaits } = NO_CALLERS): void {
    if (claims !== undefined) this.#feature.claim(claims);
    this.#feature.limit(callers);
    if (inventory.isComplete) this.#byHand.retain(inventory.containers);
    if (!this.isSettled(inventory) || (awaits && !this.#wait.isOver())) return;
    if (!this.#feature.isKnown(inventory)) return;
    const plan = this.#feature.plan(inventory);
    for (const { desired } of plan.values()) this.#surroundings?.sync(desired.rules);
    this.#states.sync(plan, () => true);
  }

  /** Whether all containers are known, or were waited for. */
  isSettled({ isComplete }: Inventory): boolean {
    return isComplete || this.#wait.isOver();
  }

  /** Loaded rules stay, and so do passages. */
  async close(): Promise<void> {
    this.#wait.close();
    await this.#surroundings?.close();
  }

  /** `undefined`: as registered. It counts from the next sync on. */
  setPort(
    container: Container,
    port: ContainerPort,
    rule: Pick<PortOverride, 'kind' | 'from'> | undefined,
  ): void {
    this.#byHand.set(container, port, rule);
  }

  status(): HostRulesStatus {
    const state = this.#states.state(HOST);
    return {
      guard: this.#guard,
      desired: state?.desired.rules,
      rendered: state?.desired.rendered,
      problems: [...(state?.desired.problems ?? []), ...(this.#surroundings?.problems ?? [])],
      condition: state?.condition,
      fingerprint: state?.observed?.loaded.fingerprint,
      verifiedAt: state?.verifiedAt,
      lastError: state?.lastError?.message,
      byHand: this.#byHand.all,
      passages: this.#surroundings?.passages,
      limited: this.#feature.limited,
    };
  }
}

/** Only one command may run at a time in a namespace. */
const after = (start: Promise<void> | undefined, loader: RulesetLoader): RulesetLoader => ({
  inspect: async (...how) => start?.then(() => loader.inspect(...how)) ?? loader.inspect(...how),
  load: async (...how) => start?.then(() => loader.load(...how)) ?? loader.load(...how),
  clear: (...how) => loader.clear(...how),
});

export function hostViewOf(
  { desired, condition, ...status }: HostRulesStatus,
  sources: readonly SourceStatus[],
  containers: ReadonlyMap<ContainerId, Container> = new Map(),
): HostView {
  const running = [...containers.values()].filter((one) => one.running);
  const unread = sources.flatMap(({ error }) => error ?? []);
  const state = stateOf(condition, status.rendered?.fingerprint === status.fingerprint);
  return { ...status, rules: desired, state, unread, containers: running };
}

/** The condition alone is that of the last job: rules that were changed since wait for theirs. */
const stateOf = (condition: Condition | undefined, isCurrent: boolean): HostState =>
  condition === 'failed' ? 'failed' : condition === 'inSync' && isCurrent ? 'loaded' : 'pending';
