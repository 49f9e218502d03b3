/**
 * Ends connections whose forward was removed or leads elsewhere now, or whose permit was removed. The kernel looks at
 * translations for the first packet of a connection alone: a stream of datagrams would go to its previous target for as
 * long as it lasts. One that began while there was no forward would go to this host, where nobody answers. And other
 * firewalls may accept what belongs to a connection that was once permitted.
 */
import { LoadError, messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import { waitUntil } from '../common/wait-until.ts';
import type { OtherFirewalls } from '../dataplane/other-firewalls.ts';
import { type ConnectionRecord, NO_RECORD } from './connection-records.ts';

/** Milliseconds for which a load, and the end of connections, wait for a disk that does not answer. */
const LONGEST_WRITE = 500;

export class OutdatedConnections {
  readonly #firewalls: Pick<OtherFirewalls, 'loadedForwards' | 'endConnections'>;
  readonly #log: Logger;
  readonly #record: ConnectionRecord;
  /** Undefined until this process knows. */
  #loaded: ReadonlySet<string> | undefined;
  /** Their connections may still be there: removed rules, and `udp 53` for datagrams that came before their forward. */
  #outdated: ReadonlySet<string>;
  /** Those whose connections are being ended. */
  #leaving: ReadonlySet<string> = new Set();
  #ending: Promise<void> = Promise.resolve();
  #problem: Problem | undefined;

  constructor(
    firewalls: Pick<OtherFirewalls, 'loadedForwards' | 'endConnections'>,
    log: Logger,
    record = NO_RECORD,
  ) {
    this.#firewalls = firewalls;
    this.#log = log;
    this.#record = record;
    this.#outdated = record.previous;
  }

  get problems(): readonly Problem[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Call it before each load. `replaces`: rules are loaded now, as far as known. */
  async beforeLoad(replaces: boolean): Promise<void> {
    if (replaces) await this.#readEarlierRun();
    const loaded = this.#loaded ?? new Set();
    // Until it is known which of them stay.
    await this.#store(this.#outdated.union(this.#leaving).union(loaded));
    if (replaces) return;
    this.#outdated = this.#outdated.union(loaded);
    this.#loaded = new Set();
  }

  /** Call it when these `connectionRules` are loaded. What could not be ended before is tried again. */
  loaded(now: ReadonlySet<string>): void {
    const before = this.#loaded ?? now;
    const added = datagramPorts(now.difference(before));
    this.#outdated = this.#outdated.union(before).difference(now).union(added);
    this.#loaded = now;
    const isLeft = this.#outdated.size > 0 || this.#problem !== undefined;
    if (isLeft) this.#ending = this.#ending.then(() => this.#end());
    else void this.#record.persist(this.#outdated);
  }

  /** Resolves when nothing is being ended. */
  idle(): Promise<void> {
    return this.#ending;
  }

  /** What an earlier run has loaded is known to the kernel alone. */
  async #readEarlierRun(): Promise<void> {
    if (this.#loaded !== undefined) return;
    try {
      this.#loaded = new Set(await this.#firewalls.loadedForwards());
    } catch (error) {
      this.#log.warn(
        { error: messageOf(error) },
        'the forwards and permits of the previous run could not be read',
      );
    }
  }

  async #end(): Promise<void> {
    const outdated = this.#outdated;
    // A rule that comes and goes meanwhile has connections to end again.
    this.#outdated = new Set();
    this.#leaving = outdated;
    try {
      if (outdated.size > 0) await this.#firewalls.endConnections([...outdated]);
      this.#problem = undefined;
    } catch (error) {
      this.#outdated = this.#outdated.union(outdated.difference(this.#loaded ?? new Set()));
      const problem = problemOf(error);
      if (problem.reason !== this.#problem?.reason) this.#log.warn({ error: problem.reason }, FAILED);
      this.#problem = problem;
    }
    this.#leaving = new Set();
    await this.#store(this.#outdated);
  }

  #store(lines: ReadonlySet<string>): Promise<void> {
    return waitUntil(LONGEST_WRITE, this.#record.persist(lines), undefined);
  }
}

/** A stream of datagrams sends from one port for as long as it lasts. Connections of other protocols are made anew. */
const datagramPorts = (lines: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...lines].flatMap((line) => /^udp \d+/.exec(line) ?? []));

const FAILED = 'connections of removed forwards and permits could not be ended; trying again';

/** The exit code of `dataplane/host`. */
const LACKS_CONNTRACK = 6;

const problemOf = (error: unknown): Problem => ({
  severity: 'warning',
  reason:
    error instanceof LoadError && error.exitCode === LACKS_CONNTRACK
      ? 'the program conntrack is missing on this host, so connections of removed forwards and permits go on until they end by themselves; install the package conntrack'
      : messageOf(error),
});
