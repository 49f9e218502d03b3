/**
 * Serves the names of one network namespace, by sockets in it.
 *
 * While a text is loaded, a grant could fall between what the text was made of and what the kernel gets. So whoever
 * loads calls `hold` first (then no grant is on its way, and none leaves), `changePolicy` if the rules have changed,
 * makes the text of `text()`, and calls `resume` in the end. Answers that come in between wait. A namespace
 * begins held, as it has no rules yet.
 */
import { randomBytes } from 'node:crypto';
import type { NamePolicy, Resolver } from '../features/names/decision.ts';
import type { NameState } from '../features/names/exchange.ts';
import { FreshNames } from '../features/names/fresh-names.ts';
import { elementKey, type GrantElement, type HeldGrant } from '../features/names/grant.ts';
import { GrantTable, type Reservation } from '../features/names/grant-table.ts';
import { NameLog } from '../features/names/name-log.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import { changePolicy } from '../features/names/policy-change.ts';
import { ALIVE_SECONDS, PROXY_ADDRESSES, SECRET_BYTES } from '../policy/name-seal.ts';
import type { ClassNumbers } from '../policy/port-classes.ts';
import { GrantSender } from './grant-sender.ts';
import type { NameLimits } from './limits.ts';
import { elementsOf, grantedNames, type NamesText } from './names-text.ts';
import type { NameSockets } from './open-sockets.ts';
import { QuestionRunner } from './question-runner.ts';
import { Removals } from './removals.ts';
import type { NameResolver } from './resolver.ts';
import { TcpServers } from './tcp-server.ts';
import type { Turns } from './turns.ts';
import { serveUdp } from './udp-server.ts';

export interface NamespaceSettings {
  /** Of the namespace, unique. */
  readonly key: string;
  readonly policy: NamePolicy;
  readonly sockets: NameSockets;
  readonly resolvers: Readonly<Record<Resolver, NameResolver>>;
  readonly limits: NameLimits;
  readonly now: () => number;
  /** Of all namespaces together. */
  readonly turns: Turns;
  /** An error of the program. */
  readonly onDefect: (error: unknown) => void;
  /** What an earlier run of the program has left in the kernel. */
  readonly adopted?: AdoptedNames | undefined;
  /** The sockets are at another port than that run had: the text leads elsewhere. */
  readonly isMoved?: boolean;
}

export interface AdoptedNames {
  /** Of the text that is loaded. */
  readonly secret: Uint8Array;
  readonly numbers: ClassNumbers;
  readonly grants: readonly HeldGrant[];
}

/** Seconds: of several heartbeats one may be lost. */
const HEARTBEAT = ALIVE_SECONDS / 3;

export class NamespaceNames {
  readonly port: number;
  readonly dockerPort: number;
  readonly #settings: NamespaceSettings;
  readonly #state: NameState;
  readonly #log = new NameLog();
  readonly #sender: GrantSender;
  readonly #removals: Removals;
  readonly #runner: QuestionRunner;
  readonly #tcp: TcpServers;
  #secret: Uint8Array;
  /** Grants of new rules, which the text that is about to be loaded has. */
  #reserved: Reservation[] = [];
  /** Removed while held: a text may have them that was rendered before. */
  #removedMeanwhile: GrantElement[] = [];
  /** What the text has that is about to be loaded. */
  #rendered: NamesText | undefined;
  /** The secret has come back, so others may have seen it. */
  #isSeen = false;
  #isNotTaken = false;
  #ticks = 0;

  constructor(settings: NamespaceSettings) {
    const { policy, sockets, limits, now, adopted, key, resolvers, onDefect, turns } = settings;
    this.#settings = settings;
    this.port = sockets.port;
    this.dockerPort = sockets.dockerPort;
    this.#state = { policy, fresh: new FreshNames(limits.fresh), grants: new GrantTable(limits.grants) };
    this.#sender = new GrantSender(sockets.grants);
    this.#removals = new Removals(this.#sender, (element) => this.#state.grants.has(element));
    this.#runner = new QuestionRunner({
      ...{ key, state: this.#state, log: this.#log, resolvers, limits, now, onDefect, turns },
      grant: (grants, then) => this.#sender.grant(grants, (areTaken) => this.#granted(areTaken, then)),
      remove: (elements) => this.#removals.remove(elements),
    });
    this.#tcp = new TcpServers(sockets.tcp, this.#runner.handle, limits.tcp);
    for (const udp of sockets.udp)
      serveUdp(udp, this.#runner.handle, isOwn(sockets), (message) => this.#returned(message));
    this.#secret = adopted?.secret ?? randomBytes(SECRET_BYTES);
    if (adopted !== undefined) this.#adopt(adopted, settings.isMoved === true);
  }

  /**
   * For the text that is loaded next. Flows that were admitted by name belong to a secret, so it is another one if some
   * of them must end; or if it was seen.
   */
  get secret(): Uint8Array {
    return this.#secret;
  }

  /** What it takes of the proxy. */
  get work(): { readonly unanswered: number; readonly dropped: number } {
    return { unanswered: this.#runner.unanswered, dropped: this.#runner.dropped + this.#tcp.dropped };
  }

  /** No grant is on its way when it resolves, and none leaves until `resume`. */
  async hold(): Promise<void> {
    this.#runner.hold();
    await this.#sender.idle();
  }

  /**
   * Other rules, or other facts. What no name may have any more is removed from the kernel at once. What new rules grant
   * of addresses that workloads have is sent at once, or is in the text if a load has begun. Returns whether flows that
   * were admitted by name must end: they do with the text that has the new secret.
   */
  changePolicy(policy: NamePolicy): boolean {
    const { removed, endsFlows, reservations } = changePolicy(this.#state, policy, this.#settings.now());
    if (endsFlows) this.renewSecret();
    this.#removals.remove(removed);
    if (this.#runner.isHeld) {
      this.#removedMeanwhile.push(...removed);
      this.#reserved.push(...reservations);
      return endsFlows;
    }
    for (const { send, confirm, cancel } of reservations)
      this.#sender.grant(send, (areTaken) => {
        const now = this.#settings.now();
        this.#removals.remove(areTaken ? confirm(now).orphans : cancel(now));
      });
    return endsFlows;
  }

  /** Flows that were admitted by name end with the next text, but for those to what it has. */
  renewSecret(): void {
    this.#secret = randomBytes(SECRET_BYTES);
  }

  /** For the text that is about to be loaded; to be called while it is held, after changes of the policy. */
  text(): NamesText {
    const now = this.#settings.now();
    // What has ended since the last second is not granted any more, but flows to it go on.
    this.#removals.remove(this.#state.grants.expire(now));
    this.#rendered = {
      secret: this.#secret,
      granted: elementsOf(this.#state.grants.held(now), this.#reserved, now),
      kept: this.#state.grants.past.elements(),
    };
    return this.#rendered;
  }

  /** What names hold, as the state file has it. */
  grants(): readonly HeldGrant[] {
    return this.#state.grants.held(this.#settings.now());
  }

  /**
   * Takes over what an earlier run has granted and not recorded, because it was killed. `read`: reads the kernel. What a
   * load or a removal may have changed meanwhile is left out: nothing may count as granted that is not. Returns the same as
   * `changePolicy`.
   */
  async complete(read: () => Promise<AdoptedNames | undefined>): Promise<boolean> {
    const { seal } = this.#sender;
    const { count } = this.#removals;
    const known = new Set(this.grants().map(elementKey));
    const found = await read();
    if (seal === undefined || found === undefined || this.#runner.isHeld) return false;
    const isSame = Buffer.compare(found.secret, seal.secret) === 0;
    // A record that is older than the text may have another secret: that came back, and another text is loaded soon.
    if (isSame ? this.#sender.seal !== seal : !this.#isSeen) return false;
    // Or it may lack sets that the text has.
    if (isSame) this.#sender.use({ secret: found.secret, numbers: found.numbers });
    if (this.#removals.count !== count) return false;
    const forgotten = found.grants.filter(
      (one) => !known.has(elementKey(one)) && !this.#state.grants.has(one),
    );
    this.#state.grants.restore(forgotten, this.#settings.now());
    return forgotten.length > 0 && this.changePolicy(this.#state.policy);
  }

  /** A load has ended. `numbers`: those of the new text, which was made of `text()`; none if the old one stays. */
  resume(numbers?: ClassNumbers): void {
    const now = this.#settings.now();
    if (numbers !== undefined) {
      const secret = this.#rendered?.secret ?? this.#secret;
      // Seen while its text was loaded: that grants nothing, until another text has a new one.
      this.#isSeen &&= Buffer.compare(secret, this.#secret) !== 0;
      this.#isNotTaken = false;
      this.#sender.use(this.#isSeen ? undefined : { secret, numbers });
      this.#prolong(now);
    }
    for (const { confirm, cancel } of this.#reserved.splice(0))
      this.#removals.remove(numbers === undefined ? cancel(now) : confirm(now).orphans);
    this.#removals.remove(this.#removedMeanwhile.splice(0).filter((one) => !this.#state.grants.has(one)));
    this.#rendered = undefined;
    void this.#sender.sayAlive();
    this.#runner.resume();
  }

  /** To be called each second. */
  tick(): void {
    this.#runner.tick();
    this.#ticks++;
    if (this.#ticks % HEARTBEAT === 0) void this.#sender.sayAlive();
    if (this.#runner.isHeld) return;
    this.#removals.retry();
    this.#removals.remove(this.#state.grants.expire(this.#settings.now()));
  }

  /** For the next run of the program; undefined while no text is loaded. */
  adoptable(): AdoptedNames | undefined {
    const loaded = this.#sender.seal;
    return loaded && { ...loaded, grants: this.grants() };
  }

  /** The report without what is granted, which takes long for thousands of addresses. */
  brief(): Omit<NamesReport, 'grants'> {
    const reasons = this.#reasons();
    return {
      state: reasons.length > 0 ? 'unavailable' : this.#sender.seal !== undefined ? 'answering' : 'waiting',
      ...{ reasons, denied: this.#log.denied(this.#settings.now()), unlisted: this.#log.unlisted },
      ...{ counts: this.#log.counts, ...this.work },
    };
  }

  report(): NamesReport {
    return { ...this.brief(), grants: grantedNames(this.grants(), this.#settings.now()) };
  }

  /** Lets go of the namespace. What is granted stays in its kernel. */
  close(): void {
    this.#runner.close();
    this.#sender.close();
    this.#tcp.close();
    this.#settings.resolvers.docker.close();
    this.#settings.sockets.close();
  }

  #adopt({ secret, numbers, grants }: AdoptedNames, isMoved: boolean): void {
    this.#state.grants.restore(grants, this.#settings.now());
    // The rules take no datagram to another port: a workload could read the secret in it, and grant with that.
    if (isMoved) return;
    this.#sender.use({ secret, numbers });
    void this.#sender.sayAlive();
    this.#runner.resume();
  }

  #granted(areTaken: boolean, then: (areTaken: boolean) => void): void {
    this.#isNotTaken = !areTaken;
    then(areTaken);
  }

  /** A datagram of ours came back. With the secret in it, there is no rule that wipes it, and the workload may see it. */
  #returned(message: Uint8Array): void {
    if (!this.#sender.isSealed(message)) return;
    this.#isSeen = true;
    this.#sender.use(undefined);
    this.renewSecret();
  }

  /** The kernel counts from when it got the text, which was a little later than when that was made. */
  #prolong(now: number): void {
    const rendered = new Map(this.#rendered?.granted.map((one) => [elementKey(one), one.seconds]));
    const later = this.#state.grants.held(now).flatMap((one) => {
      const seconds = rendered.get(elementKey(one));
      return seconds === undefined ? [] : [{ ...one, atMost: now + seconds * 1000 }];
    });
    this.#state.grants.restore(later, now);
  }

  #reasons(): readonly string[] {
    if (this.#isSeen) return ['the rules of the namespace are not loaded any more'];
    return this.#isNotTaken ? ['the kernel does not take grants'] : [];
  }
}

const isOwn =
  ({ port, grants }: Pick<NameSockets, 'port' | 'grants'>) =>
  (from: { readonly address: string; readonly port: number }): boolean =>
    (from.port === port || from.port === grants.port) && from.address === PROXY_ADDRESSES[4];
