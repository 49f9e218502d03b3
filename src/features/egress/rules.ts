/**
 * Renders the desired rules of a namespace by the template, and puts the facts of that namespace in front.
 */
import { waitUntil } from '../../common/wait-until.ts';
import type { NamespaceId, NetworkNamespace } from '../../inventory/namespace.ts';
import { type Loaded, NOTHING_LOADED, type Rendering } from '../../inventory/ruleset.ts';
import type { DnsPolicy } from '../../inventory/workload.ts';
import { type EgressDesired, isSameRules } from './desired.ts';
import type { KnownResolvers } from './dns-facts.ts';
import { expectedFacts, factsDigest, withFacts } from './facts.ts';
import type { Gate } from './gate.ts';
import { dnsOf, NAMES_NOT_IN_USE } from './name-rules.ts';
import type { NameSource, NameText } from './name-source.ts';
import type { Renderer } from './renderer.ts';
import type { WorkloadNamespace } from './workload-namespaces.ts';

export interface RulesOptions {
  readonly renderer: () => Renderer;
  /** Its DNS resolvers as far as known, without waiting for the workload; `gate`: those that the gate allowed. */
  readonly resolvers: (
    namespace: WorkloadNamespace,
    gate: readonly string[] | undefined,
  ) => Promise<KnownResolvers>;
  readonly gate?: Pick<Gate, 'loadedAtStart'> | undefined;
  /** Undefined: nothing serves names. */
  readonly names?: NameSource | undefined;
}

/** The known history of a namespace since its start. */
interface StartState {
  /** It started while we watched, so only the gate can have loaded rules. */
  readonly isNew: boolean;
  /** Its attachments at that time. */
  readonly attachments: readonly string[];
  /** The resolvers that the gate allowed, if it loaded anything. */
  gateResolvers?: readonly string[];
  /** Those of the last rendering. */
  resolvers?: readonly string[];
}

/** Whose tables these are. */
export const EGRESS = 'egress';

/** Milliseconds to wait for the gate's record. Without it, rules are loaded over those of the gate. */
const GATE_LIMIT = 1_000;

export class EgressRules {
  readonly name = EGRESS;
  readonly owner = EGRESS;
  readonly #options: RulesOptions;
  readonly #starts = new Map<NamespaceId, StartState>();

  constructor(options: RulesOptions) {
    this.#options = options;
  }

  /** Must be called for each namespace before its first load. */
  registerStart({ id, target }: WorkloadNamespace, isNew: boolean): void {
    if (!this.#starts.has(id)) this.#starts.set(id, { isNew, attachments: target.attachments });
  }

  has(id: NamespaceId): boolean {
    return this.#starts.has(id);
  }

  retain(namespaces: { has(id: NamespaceId): boolean }): void {
    for (const id of this.#starts.keys()) if (!namespaces.has(id)) this.#starts.delete(id);
  }

  /** The DNS resolvers that its rules allow; undefined until they are rendered. */
  resolversOf(id: NamespaceId): readonly string[] | undefined {
    return this.#starts.get(id)?.resolvers;
  }

  namespaceOf({ namespace }: EgressDesired): NetworkNamespace {
    return namespace;
  }

  describe({ namespace: { grants } }: EgressDesired): object {
    return { grants: abridged(grants) };
  }

  isSame(one: EgressDesired, other: EgressDesired): boolean {
    return isSameRules(one.rules, other.rules) && hasSameInputs(one.namespace, other.namespace);
  }

  /** While no rules are known, the previous rules stay. */
  isFallback({ rules }: EgressDesired): boolean {
    return !rules.isKnown;
  }

  async render({ namespace, rules }: EgressDesired, isForLoad = false): Promise<Rendering> {
    const { id, mode, target } = namespace;
    const start = this.#starts.get(id);
    const { addresses: resolvers, isGuess } = await this.#options.resolvers(namespace, start?.gateResolvers);
    if (start !== undefined) start.resolvers = resolvers;
    const { dns, names, held, ended } = await this.#namesFor(namespace, rules, isForLoad);
    try {
      const { text, fingerprint } = this.#options.renderer().render({ ...rules, mode, dns, resolvers });
      const facts = { resolvers, attachments: target.attachments, names };
      return {
        ruleset: { owner: EGRESS, text: withFacts(text, facts, held), fingerprint },
        ...{ facts: expectedFacts(text, facts), isGuess: isGuess && start?.isNew !== true, ended },
      };
    } catch (error) {
      ended?.(false);
      throw error;
    }
  }

  /** Until somebody answers for names in the namespace, it has no DNS. */
  async #namesFor(
    namespace: WorkloadNamespace,
    { policy }: EgressDesired['rules'],
    isForLoad: boolean,
  ): Promise<{ readonly dns: DnsPolicy } & Partial<NameText>> {
    const { names: source, renderer } = this.#options;
    const { template } = renderer();
    const unavailable = source === undefined ? NAMES_NOT_IN_USE : source.unavailable;
    const dns = dnsOf(namespace, policy, { template, unavailable });
    if (dns !== 'names') return { dns };
    await source?.ready(namespace.id);
    const text = source?.textOf(namespace.id);
    // A new namespace does not wait for sockets without rules.
    if (source === undefined || text === undefined) return { dns: 'none' };
    if (!isForLoad) return { dns, ...text };
    const held = await source.hold(namespace.id, policy.names.classes);
    return held === undefined ? { dns: 'none' } : { dns, ...held };
  }

  /** A new namespace has only the gate's rules, and the gate leaves a record. */
  loadedAtStart({ namespace: { id, target } }: EgressDesired): Promise<Loaded> | undefined {
    const start = this.#starts.get(id);
    return start?.isNew ? this.#askGate(start, target) : undefined;
  }

  async #askGate(start: StartState, target: WorkloadNamespace['target']): Promise<Loaded> {
    const asked = this.#options.gate?.loadedAtStart(target) ?? Promise.resolve(undefined);
    const found = await waitUntil(GATE_LIMIT, asked, undefined);
    if (found === undefined) return NOTHING_LOADED;
    const { fingerprint, resolvers } = found;
    start.gateResolvers = resolvers;
    // The gate writes a reserved digest, because it does not know the attachments.
    const facts = factsDigest({ resolvers, attachments: start.attachments });
    return { fingerprint, facts, digest: undefined };
  }
}

/** True if rules for one fit the other. */
const hasSameInputs = (one: WorkloadNamespace, other: WorkloadNamespace): boolean =>
  one.mode === other.mode &&
  one.dns === other.dns &&
  one.keepsResolvers === other.keepsResolvers &&
  one.isUncertain === other.isUncertain &&
  one.target.attachments.join() === other.target.attachments.join();

/** Keys in a line of the log. */
const MOST_GRANTS = 16;

const abridged = (grants: readonly string[]): readonly string[] =>
  grants.length <= MOST_GRANTS
    ? grants
    : [...grants.slice(0, MOST_GRANTS), `… and ${grants.length - MOST_GRANTS} more`];
