/**
 * One namespace whose names are answered: its sockets, its policy, and what its text needs to know of them.
 */
import type { Backoff } from '../common/backoff.ts';
import type { Logger } from '../common/logger.ts';
import { waitUntil } from '../common/wait-until.ts';
import type { NameFacts } from '../features/egress/name-facts.ts';
import type { NameText } from '../features/egress/name-source.ts';
import type { NamePolicy } from '../features/names/decision.ts';
import { lostRules } from '../features/names/matching.ts';
import { type NamesReport, NO_REPORT } from '../features/names/name-report.ts';
import type { ContainerNamespace } from '../inventory/namespace.ts';
import type { WantedNames } from '../name-proxy/name-proxy.ts';
import { heldIn } from '../name-proxy/names-text.ts';
import type { NamespaceNames } from '../name-proxy/namespace-names.ts';
import type { ProxyCgroup } from '../name-proxy/proxy-cgroup.ts';
import { type ClassNumbers, classOf, numbersOf, type PortClass } from '../policy/port-classes.ts';
import { NameDenyLog } from './name-deny-log.ts';
import { NameOpening } from './name-opening.ts';
import { refOf } from './ruleset-loader.ts';
import type { PersistedNames } from './state/names-file.ts';

/** What is used of the proxy of one namespace. */
export type ProxiedNames = Pick<
  NamespaceNames,
  | ('port' | 'dockerPort' | 'secret' | 'hold' | 'changePolicy' | 'renewSecret' | 'text' | 'resume')
  | ('adoptable' | 'brief' | 'report' | 'complete')
>;

/** What is used of the proxy. */
export interface NamesProxy {
  open(key: string, wanted: WantedNames): Promise<ProxiedNames>;
  close(key: string): void;
}

export interface ServedPorts {
  /** Another one for each namespace that is served. */
  readonly serial: number;
  readonly proxy: NamesProxy;
  /** Undefined: Docker's resolver is not asked. */
  readonly cgroup: Pick<ProxyCgroup, 'path' | 'level'> | undefined;
  readonly log: Logger;
  /** Pauses between two failed openings. */
  readonly retry: Backoff;
  readonly random: () => number;
  readonly now: () => number;
  /** Reads from the kernel what an earlier run has left; undefined: there can be nothing. */
  readonly recall?: (() => Promise<PersistedNames | undefined>) | undefined;
  /** Called when its text needs other facts. */
  readonly onChange: () => void;
  /** Called when the kernel may not have what was loaded. */
  readonly onTrouble: () => void;
}

/** Milliseconds that a load waits for the sockets: they take 50 on a quiet host. */
const OPENING = 2_000;

export class ServedNamespace {
  readonly #namespace: ContainerNamespace;
  /** In the proxy: a namespace that is let go and served again may still be opening its first sockets. */
  readonly #key: string;
  readonly #ports: ServedPorts;
  readonly #denyLog: NameDenyLog;
  #policy: NamePolicy;
  /** Needs classes that the loaded text does not have. */
  #next: NamePolicy | undefined;
  #names: ProxiedNames | undefined;
  readonly #recalled: Promise<void>;
  /** What is known of an earlier run was read from the kernel. */
  #isRecalled = false;
  readonly #opening: NameOpening<ProxiedNames>;
  /** Until it resolves, something that an earlier run has granted may be unknown. */
  #completed: Promise<void> = Promise.resolve();
  /** The classes of the text in the kernel, as far as known. */
  #numbers: ClassNumbers | undefined;
  /** Of the previous run, until the sockets are open. */
  #previous: PersistedNames | undefined;
  #isClosed = false;
  #wasTrouble = false;

  constructor(
    namespace: ContainerNamespace,
    policy: NamePolicy,
    previous: PersistedNames | undefined,
    ports: ServedPorts,
  ) {
    this.#namespace = namespace;
    this.#key = `${namespace.id} ${ports.serial}`;
    this.#policy = policy;
    this.#previous = previous;
    this.#numbers = previous?.numbers;
    this.#ports = ports;
    this.#denyLog = new NameDenyLog(ports.log, namespace.target.name);
    this.#recalled = this.#recall();
    this.#opening = new NameOpening({
      open: () => this.#open(),
      opened: (names) => this.#opened(names),
      failed: (reason, isNew) => this.#failed(reason, isNew),
      ...{ retry: ports.retry, random: ports.random },
    });
  }

  /** Resolves when it is known what an earlier run has left. */
  get recalled(): Promise<void> {
    return this.#recalled;
  }

  /**
   * A policy that needs only what the text has counts at once; another one when its text is loaded. Connections of rules
   * that go end with another secret, which is another text.
   */
  use(policy: NamePolicy): void {
    const current = this.#next ?? this.#policy;
    if (policy === current) return;
    const isLess = lostRules(current.index, policy.index).length > 0;
    if (this.#names === undefined) this.#policy = policy;
    else if (policy.index.rules.every((rule) => this.#numbers?.has(classOf(rule)))) this.#change(policy);
    else this.#next = policy;
    // What an earlier run has granted and forgotten cannot be told from what is not there.
    if (!isLess) return;
    this.#names?.renewSecret();
    this.#ports.onChange();
  }

  /** What a text needs to know; undefined until the sockets are open, unless an earlier run has left a text. */
  get facts(): NameFacts | undefined {
    const known = this.#names ?? this.#previous;
    return known && this.#factsOf(known);
  }

  /**
   * Until `ended` is called, no grant leaves. A namespace without rules gets its addresses at once, and does not wait for
   * sockets; one that an earlier run has served loses its names otherwise.
   */
  async hold(classes: readonly PortClass[]): Promise<NameText | undefined> {
    if (this.#previous !== undefined) await waitUntil(OPENING, this.#opening.attempt, undefined);
    const names = this.#names;
    if (names === undefined) return undefined;
    await this.#completed;
    await names.hold();
    if (this.#next !== undefined) this.#change(this.#next);
    const numbers = numbersOf(classes);
    const text = names.text();
    const ended = (isLoaded: boolean): void => {
      if (isLoaded) this.#numbers = numbers;
      names.resume(isLoaded ? numbers : undefined);
    };
    const { port, dockerPort } = names;
    const facts = this.#factsOf({ port, dockerPort, secret: text.secret });
    return { names: facts, held: heldIn(text, numbers), ended };
  }

  report(): NamesReport {
    if (this.#names !== undefined) return this.#names.report();
    const { error } = this.#opening;
    return error === undefined ? NO_REPORT : { ...NO_REPORT, state: 'unavailable', reasons: [error] };
  }

  /** What the next run needs; undefined while no text of this run or the last is loaded. */
  persisted(): PersistedNames | undefined {
    if (this.#names === undefined) return this.#previous;
    const { port, dockerPort } = this.#names;
    const adoptable = this.#names.adoptable();
    return adoptable && { port, dockerPort, ...adoptable };
  }

  /** To be called from time to time. */
  look(): void {
    if (this.#names === undefined) return;
    const report = this.#names.brief();
    this.#denyLog.write(report, this.#policy.mode, this.#ports.now());
    const isTrouble = report.state === 'unavailable';
    if (isTrouble && !this.#wasTrouble) this.#ports.onTrouble();
    this.#wasTrouble = isTrouble;
  }

  /** What is granted stays in its kernel. */
  close(): void {
    this.#isClosed = true;
    this.#opening.close();
    this.#ports.proxy.close(this.#key);
  }

  #change(policy: NamePolicy): void {
    this.#policy = policy;
    this.#next = undefined;
    // Its text ends the connections to addresses that no name may have any more.
    if (this.#names?.changePolicy(policy) === true) this.#ports.onChange();
  }

  #factsOf({ port, dockerPort, secret }: Pick<PersistedNames, 'port' | 'dockerPort' | 'secret'>): NameFacts {
    const { cgroup } = this.#ports;
    return {
      ...{ secret: Buffer.from(secret).toString('hex'), port },
      ...(cgroup && { docker: { port: dockerPort, cgroup: { path: cgroup.path, level: cgroup.level } } }),
    };
  }

  /** Until then the text in the kernel stays as it is. */
  async #recall(): Promise<void> {
    const { recall, log } = this.#ports;
    if (this.#previous !== undefined || recall === undefined) return;
    const found = await recall();
    if (found === undefined || this.#isClosed) return;
    this.#previous = found;
    this.#isRecalled = true;
    this.#numbers = found.numbers;
    const fields = { container: this.#namespace.target.name, addresses: found.grants.length };
    log.info(fields, 'what is granted by name was read back from the kernel, as there is no record of it');
  }

  async #open(): Promise<ProxiedNames | undefined> {
    const { proxy } = this.#ports;
    // A rule that goes meanwhile must be seen to go.
    const policy = this.#policy;
    await this.#recalled;
    if (this.#isClosed) return undefined;
    const previous = this.#previous;
    const names = await proxy.open(this.#key, {
      ...{ namespace: refOf(this.#namespace), policy, adopted: previous },
      ...{ port: previous?.port, dockerPort: previous?.dockerPort },
    });
    if (this.#isClosed) proxy.close(this.#key);
    return names;
  }

  #opened(names: ProxiedNames): void {
    const isSame = this.#previous?.port === names.port && this.#previous.dockerPort === names.dockerPort;
    const isRecorded = this.#previous !== undefined && !this.#isRecalled;
    this.#names = names;
    this.#previous = undefined;
    if (!isSame) this.#ports.onChange();
    // It was opened with the policy of that time, and what an earlier run has left may belong to rules that are gone.
    this.#change(this.#policy);
    if (isRecorded) this.#completed = this.#complete(names);
  }

  async #complete(names: ProxiedNames): Promise<void> {
    const { recall, onChange } = this.#ports;
    if (recall === undefined) return;
    const endsFlows = await names.complete(recall);
    if (this.#names === names) this.#numbers = names.adoptable()?.numbers ?? this.#numbers;
    if (endsFlows) onChange();
  }

  /** Without sockets nobody answers, so a text of an earlier run goes too. */
  #failed(error: string, isNew: boolean): void {
    const { log, onChange } = this.#ports;
    if (isNew) log.warn({ container: this.#namespace.target.name, error }, 'names cannot be answered');
    const hadFacts = this.facts !== undefined;
    this.#previous = undefined;
    this.#numbers = undefined;
    if (hadFacts) onChange();
  }
}
