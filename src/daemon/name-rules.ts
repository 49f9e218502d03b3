/**
 * Rules by name in the controller: which namespaces are served, and under which policy.
 *
 * In a namespace that wants names, sockets are opened first, then the text is loaded that leads questions to them, then
 * they are answered. Until then the namespace has no DNS. A text that replaces another takes over what is granted: while
 * it is loaded, no grant is on its way. After a restart the sockets are opened at the same ports, and nothing is loaded.
 */
import type { Backoff } from '../common/backoff.ts';
import type { Logger } from '../common/logger.ts';
import type { NamespaceRef } from '../dataplane/dataplane.ts';
import type { NameSource, NameText } from '../features/egress/name-source.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ContainerNamespace, NamespaceId } from '../inventory/namespace.ts';
import type { NameProxy } from '../name-proxy/name-proxy.ts';
import type { ProxyCgroup } from '../name-proxy/proxy-cgroup.ts';
import type { Acl } from '../policy/acl.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { PortClass } from '../policy/port-classes.ts';
import { type NamedNamespace, NamePolicies, type NamePolicyOptions } from './name-policies.ts';
import { refOf } from './ruleset-loader.ts';
import { type NamesProxy, ServedNamespace } from './served-namespace.ts';
import type { NamesRecord, PersistedNames } from './state/names-file.ts';

export interface NamesPorts {
  /** Why rules by name cannot work on this host; undefined: they can, as far as known. */
  readonly unavailable: string | undefined;
  /** Called when the first namespace wants names. */
  readonly start: () => StartedNames;
  readonly policies: NamePolicyOptions;
  /** What the previous run has left. */
  readonly previous: NamesRecord;
  /** Called from time to time, and at the end. */
  readonly persist: (state: () => NamesRecord) => void;
}

export interface StartedNames {
  readonly proxy: NamesProxy & Pick<NameProxy, 'closeAll' | 'counts' | 'trouble'>;
  /** The cgroup of the proxy's sockets; undefined: Docker's resolver is not asked. */
  readonly cgroup: Pick<ProxyCgroup, 'path' | 'level'> | undefined;
  /** Reads from the kernel what an earlier run has left in a namespace. Never fails. */
  readonly recall: (namespace: NamespaceRef) => Promise<PersistedNames | undefined>;
  /** Why it turns out that rules by name cannot work on this host; undefined: they can. */
  readonly unavailable: Promise<string | undefined>;
}

export interface NameRulesOptions {
  readonly log: Logger;
  readonly retry: Backoff;
  readonly random: () => number;
  readonly now: () => number;
  /** Called when the resolvers of the host stop to answer, or answer again. */
  readonly onResolvers: () => void;
  /** Called when the text of a namespace needs other facts. */
  readonly onChange: (id: NamespaceId) => void;
  /** Called when the kernel may not have what was loaded. */
  readonly onTrouble: (id: NamespaceId) => void;
}

/** A namespace that wants names. */
export type WantedNamespace = NamedNamespace & ContainerNamespace & { readonly policy: CompiledPolicy };

/** Milliseconds between two looks at what is granted. */
const LOOK = 2_000;

export class NameRules implements NameSource {
  readonly #ports: NamesPorts;
  readonly #options: NameRulesOptions;
  readonly #policies: NamePolicies;
  readonly #served = new Map<NamespaceId, ServedNamespace>();
  /** Of namespaces that are not served yet in this run. */
  readonly #previous: Map<NamespaceId, NonNullable<ReturnType<NamesRecord['get']>>>;
  /** Namespaces that may be older than this run, and are not served yet. */
  readonly #earlier = new Set<NamespaceId>();
  readonly #timer: NodeJS.Timeout;
  #isComplete = false;
  #started: StartedNames | undefined;
  #unavailable: string | undefined;
  #serial = 0;
  #trouble: string | undefined;

  constructor(ports: NamesPorts, options: NameRulesOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#unavailable = ports.unavailable;
    this.#policies = new NamePolicies(ports.policies);
    this.#previous = new Map(ports.previous);
    this.#timer = setInterval(() => this.#look(), LOOK).unref();
  }

  get unavailable(): string | undefined {
    return this.#unavailable;
  }

  /** `undecided`: namespaces whose rules are not known; what serves them stays. Call it before their texts are made. */
  sync(
    inventory: Inventory,
    acl: Acl,
    wanted: readonly WantedNamespace[],
    undecided: { has(id: NamespaceId): boolean },
  ): void {
    const ids = new Set(wanted.map(({ id }) => id));
    this.#seeEarlier(inventory);
    for (const [id, served] of this.#served) {
      if (ids.has(id) || undecided.has(id)) continue;
      served.close();
      this.#served.delete(id);
    }
    if (wanted.length > 0) {
      const policyOf = this.#policies.under(inventory, acl);
      for (const namespace of wanted) this.#serve(namespace, policyOf(namespace, namespace.policy));
    }
    this.#policies.retain(this.#served);
    for (const earlier of [this.#previous, this.#earlier]) {
      for (const id of earlier.keys()) {
        // A container that is not read yet may still run.
        const isKnown = inventory.isComplete || inventory.namespaces.has(id);
        if (isKnown && !ids.has(id) && !undecided.has(id)) earlier.delete(id);
      }
    }
  }

  async ready(id: NamespaceId): Promise<void> {
    await this.#served.get(id)?.recalled;
  }

  textOf(id: NamespaceId): Pick<NameText, 'names'> | undefined {
    const names = this.#served.get(id)?.facts;
    return names && { names };
  }

  async hold(id: NamespaceId, classes: readonly PortClass[]): Promise<NameText | undefined> {
    return this.#served.get(id)?.hold(classes);
  }

  /** Undefined for a namespace that wants no names. */
  reportOf(id: NamespaceId): NamesReport | undefined {
    return this.#served.get(id)?.report();
  }

  /** What the resolvers of the host, and Consul's, were asked; undefined if nobody wanted names so far. */
  get resolverCounts(): NameProxy['counts'] | undefined {
    return this.#started?.proxy.counts;
  }

  /** What is wrong with the resolvers of the host; undefined: nothing that is known. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Ends serving. What is granted stays in the kernels, for the next run. Without names there is nothing to record. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#started !== undefined || this.#ports.previous.size > 0) {
      const state = this.#state();
      this.#ports.persist(() => state);
    }
    for (const served of this.#served.values()) served.close();
    this.#started?.proxy.closeAll();
  }

  #serve(namespace: WantedNamespace, policy: Parameters<ServedNamespace['use']>[0]): void {
    const { id } = namespace;
    const known = this.#served.get(id);
    known?.use(policy);
    if (known !== undefined) return;
    const { proxy, cgroup, recall } = this.#start();
    const { log, retry, random, now } = this.#options;
    const [onChange, onTrouble] = [() => this.#options.onChange(id), () => this.#options.onTrouble(id)];
    const isEarlier = this.#earlier.delete(id);
    const ports = {
      ...{ serial: this.#serial++, proxy, cgroup, log, retry, random, now, onChange, onTrouble },
      recall: isEarlier ? () => recall(refOf(namespace)) : undefined,
    };
    this.#served.set(id, new ServedNamespace(namespace, policy, this.#previous.get(id), ports));
    this.#previous.delete(id);
  }

  /** What starts later can have nothing of an earlier run. */
  #seeEarlier({ namespaces, isComplete }: Inventory): void {
    if (!this.#isComplete) for (const id of namespaces.keys()) this.#earlier.add(id);
    this.#isComplete ||= isComplete;
  }

  #start(): StartedNames {
    if (this.#started !== undefined) return this.#started;
    const started = this.#ports.start();
    this.#started = started;
    void started.unavailable.then((reason) => {
      if (reason === undefined) return;
      this.#unavailable = reason;
      for (const id of this.#served.keys()) this.#options.onChange(id);
    });
    return started;
  }

  #look(): void {
    for (const served of this.#served.values()) served.look();
    this.#lookAtResolvers();
    if (this.#served.size > 0) this.#ports.persist(() => this.#state());
  }

  #lookAtResolvers(): void {
    const trouble = this.#served.size > 0 ? this.#started?.proxy.trouble : undefined;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.onResolvers();
  }

  #state(): NamesRecord {
    const served = [...this.#served].flatMap(([id, one]) => {
      const persisted = one.persisted();
      return persisted === undefined ? [] : [[id, persisted] as const];
    });
    return new Map([...this.#previous, ...served]);
  }
}
