/**
 * Whether the Engine makes firewall rules itself: for `--forwards auto`.
 *
 * The rules are read when the Engine has been connected to, and once more when something comes that they must name.
 * What lacks rules counts when a second look finds the same: a container that ends loses its rules before it is gone
 * from the inventory.
 */
import { type Backoff, delay } from '../common/backoff.ts';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import { type EngineRules, lacking, type Witnesses, witnessesOf } from '../inventory/engine-rules.ts';
import type { Networks } from '../inventory/network.ts';

export interface EngineFirewallPorts {
  /** Fails with a `LoadError`. */
  readonly read: () => Promise<EngineRules>;
  readonly onChange: () => void;
  readonly log: Logger;
  readonly retry: Backoff;
  readonly random: () => number;
}

export interface SeenEngine {
  readonly containers: ReadonlyMap<ContainerId, Container>;
  readonly networks: Networks | undefined;
  /** False while the Engine does not answer. */
  readonly isConnected: boolean;
}

/** Milliseconds until the second look. */
const SECOND_LOOK = 1_000;

export class EngineFirewall {
  readonly #ports: EngineFirewallPorts;
  #manages: boolean | undefined;
  #seen: SeenEngine | undefined;
  /** Since the Engine was connected to: what was looked for last, and what of it had no rules. */
  #looked: { readonly witnesses: Witnesses; readonly lacking: readonly string[] } | undefined;
  /** Counts the connections to the Engine. */
  #session = 0;
  /** No later witness can change the answer. */
  #isSettled = false;
  #isReading = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #error: string | undefined;
  #closed = false;

  constructor(ports: EngineFirewallPorts) {
    this.#ports = ports;
  }

  /** Undefined until its rules have been read once. */
  get manages(): boolean | undefined {
    return this.#manages;
  }

  /** Why its rules cannot be read now. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Call it for each inventory. */
  update(seen: SeenEngine): void {
    this.#seen = seen;
    if (!seen.isConnected) this.#forget();
    else this.#lookAgain();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** An Engine that comes back may have other options. */
  #forget(): void {
    this.#looked = undefined;
    this.#isSettled = false;
    this.#error = undefined;
    this.#session += 1;
  }

  #lookAgain(): void {
    if (this.#closed || this.#isReading || this.#isSettled || this.#timer !== undefined) return;
    const { containers, networks, isConnected } = this.#seen ?? {};
    if (containers === undefined || networks === undefined || isConnected !== true) return;
    const witnesses = witnessesOf(containers.values(), networks);
    if (this.#looked !== undefined && !this.#awaitsLook(witnesses)) return;
    this.#isReading = true;
    void this.#look(witnesses).finally(() => {
      this.#isReading = false;
      this.#lookAgain();
    });
  }

  #awaitsLook(now: Witnesses): boolean {
    const { witnesses, lacking: lacked } = this.#looked ?? {};
    if (witnesses === undefined || (lacked?.length ?? 0) > 0) return true;
    return (
      now.newest !== witnesses.newest || [...now.networks.keys()].some((id) => !witnesses.networks.has(id))
    );
  }

  async #look(witnesses: Witnesses): Promise<void> {
    const { read, retry, random } = this.#ports;
    const session = this.#session;
    try {
      const rules = await read();
      this.#failures = 0;
      this.#fail(undefined);
      // If the connection was lost meanwhile, these may be the rules of another run.
      if (this.#session === session) this.#decide(rules, witnesses);
    } catch (error) {
      this.#failures += 1;
      this.#lookLater(delay(this.#failures, retry, random));
      this.#fail(`the Engine's own rules cannot be read, for --forwards auto: ${messageOf(error)}`);
    }
  }

  #fail(error: string | undefined): void {
    if (this.#error === error) return;
    this.#error = error;
    this.#ports.onChange();
  }

  #decide(rules: EngineRules, witnesses: Witnesses): void {
    const before = this.#looked;
    const found = lacking(rules, witnesses);
    this.#looked = { witnesses, lacking: found };
    if (!rules.hasChains || found.some((one) => before?.lacking.includes(one))) this.#settle(false);
    else if (found.length > 0) this.#lookLater(SECOND_LOOK);
    else if (isLater(witnesses.newest, before?.witnesses)) this.#settle(true);
    // After a restart with the same options, chains alone show nothing: containers may start later.
    else if (this.#manages === undefined || witnesses.newest !== undefined) this.#answer(true);
  }

  #settle(manages: boolean): void {
    this.#isSettled = true;
    this.#answer(manages);
  }

  #answer(manages: boolean): void {
    if (this.#manages === manages) return;
    this.#manages = manages;
    this.#ports.log.info({ managesFirewall: manages }, "read the Engine's own rules");
    this.#ports.onChange();
  }

  #lookLater(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lookAgain();
    }, ms);
  }
}

/** Under live-restore, containers of an earlier run keep their rules, so only a later one shows that more are made. */
const isLater = (newest: string | undefined, before: Witnesses | undefined): boolean =>
  newest !== undefined && before !== undefined && newest !== before.newest;
