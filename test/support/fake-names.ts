/**
 * A proxy of names without sockets: keeps what it is told, and grants what a test says.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NamesPorts } from '../../src/daemon/name-rules.ts';
import type { ProxiedNames } from '../../src/daemon/served-namespace.ts';
import type { NamesRecord, PersistedNames } from '../../src/daemon/state/names-file.ts';
import type { NamePolicy } from '../../src/features/names/decision.ts';
import type { GrantElement, HeldGrant } from '../../src/features/names/grant.ts';
import { type NamesReport, NO_REPORT } from '../../src/features/names/name-report.ts';
import type { WantedNames } from '../../src/name-proxy/name-proxy.ts';
import { formatNameRule } from '../../src/policy/name-rule.ts';

export class FakeNames implements ProxiedNames {
  readonly wanted: WantedNames;
  readonly port: number;
  readonly dockerPort = 50_000;
  secret: Uint8Array;
  held: readonly HeldGrant[];
  policy: NamePolicy;
  kept: readonly GrantElement[] = [];
  trouble: readonly string[] = [];
  #numbers: ReadonlyMap<string, number> | undefined;
  readonly #steps: string[];

  constructor(wanted: WantedNames, port: number, steps: string[]) {
    this.wanted = wanted;
    this.port = port;
    this.policy = wanted.policy;
    this.secret = wanted.adopted?.secret ?? new Uint8Array(16).fill(1);
    this.held = wanted.adopted?.grants ?? [];
    this.#numbers = wanted.adopted?.numbers;
    this.#steps = steps;
  }

  get rules(): readonly string[] {
    return this.policy.index.rules.map(formatNameRule);
  }

  async hold(): Promise<void> {
    this.#steps.push('hold');
  }

  changePolicy(policy: NamePolicy): boolean {
    if (policy !== this.policy) this.#steps.push('policy');
    this.policy = policy;
    return false;
  }

  async complete(): Promise<boolean> {
    this.#steps.push('complete');
    return false;
  }

  renewSecret(): void {
    this.secret = this.secret.map((byte) => byte + 1);
  }

  text() {
    const granted = this.held.map(({ portClass, address }) => ({ portClass, address, seconds: 60 }));
    return { secret: this.secret, granted, kept: this.kept };
  }

  resume(numbers?: ReadonlyMap<string, number>): void {
    if (numbers !== undefined) this.#numbers = numbers;
    this.#steps.push(`resume ${numbers === undefined ? 'as before' : [...numbers.keys()].join(' ')}`);
  }

  adoptable() {
    return this.#numbers && { secret: this.secret, numbers: this.#numbers, grants: this.held };
  }

  brief(): NamesReport {
    const state = this.trouble.length > 0 ? 'unavailable' : 'answering';
    return { ...NO_REPORT, state, reasons: this.trouble };
  }

  report(): NamesReport {
    return this.brief();
  }
}

const NONE_ASKED = { asked: 0, cached: 0, shared: 0, failed: 0, waited: 0 };

/** `steps`: what happened, in order; a test adds the loads. */
export class FakeNameProxy {
  readonly steps: string[] = [];
  readonly opened = new Map<string, FakeNames>();
  isStarted = false;
  isClosed = false;
  /** Instead of sockets. */
  failure: Error | undefined;
  /** The port of a namespace that wants none. */
  port = 40_000;
  stored: NamesRecord = new Map();
  unavailable: string | undefined;
  /** What is wrong with resolvers. */
  trouble: string | undefined;
  readonly counts = { upstream: NONE_ASKED, consul: NONE_ASKED };
  /** What an earlier run has left in the kernel of each namespace. */
  left: PersistedNames | undefined;

  open(key: string, wanted: WantedNames): Promise<FakeNames> {
    return this.#open(key, wanted);
  }

  close(key: string): void {
    if (this.opened.delete(key)) this.steps.push('close');
  }

  closeAll(): void {
    this.isClosed = true;
  }

  ports(more: Partial<NamesPorts> = {}): NamesPorts {
    return {
      ...{ unavailable: undefined, previous: new Map() },
      start: () => {
        this.isStarted = true;
        const unavailable = Promise.resolve(this.unavailable);
        const recall = async () => {
          if (this.left !== undefined) this.steps.push('recall');
          return this.left;
        };
        return { proxy: this, cgroup: { path: 'egt', level: 1 }, recall, unavailable };
      },
      policies: {
        ...{ grace: 300, answer: 'refused', protectedHosts: [], consul: [] },
        ownAddresses: () => [],
      },
      persist: (state) => {
        this.stored = state();
      },
      ...more,
    };
  }

  async #open(key: string, wanted: WantedNames): Promise<FakeNames> {
    await sleep(1);
    if (this.failure !== undefined) throw this.failure;
    this.steps.push('open');
    const names = new FakeNames(wanted, wanted.port ?? this.port, this.steps);
    this.opened.set(key, names);
    return names;
  }
}
