/**
 * Ingress rules as a feature: who may reach each namespace whose containers name ingress keys. They have a table of their
 * own beside that of egress rules, in the same namespace.
 */
import type { Plan, Planned } from '../../common/plan.ts';
import { waitUntil } from '../../common/wait-until.ts';
import type { Container } from '../../inventory/container.ts';
import type { ConsulSnapshot, Inventory } from '../../inventory/inventory.ts';
import type { NamespaceId, NetworkNamespace } from '../../inventory/namespace.ts';
import { type Loaded, NOTHING_LOADED, type Rendering } from '../../inventory/ruleset.ts';
import type { ServiceRef } from '../../inventory/service.ts';
import type { Mode } from '../../inventory/workload.ts';
import { type Acl, parseAcl } from '../../policy/acl.ts';
import { grantedKeys, servicesOf } from '../../policy/compile.ts';
import { PolicyCompiler } from '../../policy/policy-compiler.ts';
import type { Feature } from '../feature.ts';
import { desiredFor, type IngressDesired, isSameRules } from './desired.ts';
import type { IngressGate } from './gate.ts';
import { LocalInstances } from './local-instances.ts';
import { type IngressNamespaces, ingressNamespaces } from './namespaces.ts';
import { IngressPreparer } from './preparer.ts';
import { IngressRenderer, type IngressTemplate } from './render.ts';

export interface IngressOptions {
  readonly template: IngressTemplate;
  /** The mode of containers without EGRESSTRATOR_MODE. */
  readonly mode: Mode;
  /** Milliseconds that a load waits for sources that answer in a moment. */
  readonly grace: number;
  /** This host's name in Consul: its instances may be containers here. */
  readonly node?: string | undefined;
  /** Lists of keys to prepare for the gate, besides those of all seen containers. */
  readonly prepare?: readonly (readonly string[])[] | undefined;
  /** The gate, if this host may have one. */
  readonly gate?: IngressGate | undefined;
}

/** Whose tables these are. */
export const INGRESS = 'ingress';

/** Milliseconds to wait for the gate's record; then the namespace is inspected. */
const GATE_LIMIT = 1_000;

export class Ingress implements Feature<IngressDesired> {
  readonly name = INGRESS;
  readonly owner = INGRESS;
  readonly #options: IngressOptions;
  /** Callers are not protected: a broad prefix holds all of its addresses. */
  readonly #compiler = new PolicyCompiler([], 'ingress');
  readonly #renderer: IngressRenderer;
  readonly #local: LocalInstances;
  readonly #preparer: IngressPreparer | undefined;
  /** Namespaces that were there before this run; undefined until they are known. */
  #earlier: ReadonlySet<NamespaceId> | undefined;
  #found: IngressNamespaces = { namespaces: [], unsupported: [] };
  #acl: { readonly texts: ConsulSnapshot['ingress']; readonly parsed: Acl } | undefined;

  constructor(options: IngressOptions) {
    this.#options = options;
    this.#renderer = new IngressRenderer(options.template);
    this.#local = new LocalInstances(options.node);
    const { gate, mode, prepare = [] } = options;
    const named = prepare.map((keys) => ({ keys, mode }));
    this.#preparer = gate && new IngressPreparer(gate, this.#renderer, named);
  }

  /** The parsed keys in Consul; undefined until they are read. */
  aclOf({ ingress }: Pick<ConsulSnapshot, 'ingress'>): Acl | undefined {
    if (ingress === undefined) return undefined;
    if (this.#acl?.texts !== ingress)
      this.#acl = { texts: ingress, parsed: parseAcl(ingress, this.#acl?.parsed, 'ingress') };
    return this.#acl.parsed;
  }

  /**
   * True if a container names ingress keys, or some are to be prepared; until then Consul is not asked for them. Call
   * `references` first.
   */
  get isWanted(): boolean {
    return this.#found.namespaces.length > 0 || (this.#preparer?.requests().length ?? 0) > 0;
  }

  /** Those of the last plan that cannot have rules. */
  get unsupported(): IngressNamespaces['unsupported'] {
    return this.#found.unsupported;
  }

  references({ namespaces, consul }: Inventory): readonly ServiceRef[] {
    this.#found = ingressNamespaces(namespaces, this.#options.mode);
    for (const { members } of this.#found.namespaces)
      for (const { workload } of members) this.#preparer?.see(workload);
    const acl = this.aclOf(consul);
    if (acl === undefined) return [];
    const holders = [...this.#found.namespaces, ...(this.#preparer?.requests() ?? [])];
    const keys = new Set(holders.flatMap((one) => one.keys));
    return servicesOf(grantedKeys([...keys], acl));
  }

  /** Call `references` for the same containers first. */
  plan({ consul, containers, namespaces, isComplete }: Inventory): Plan<IngressDesired> {
    if (isComplete) this.#earlier ??= new Set(namespaces.keys());
    const services = this.#local.extend(consul.services, containers);
    const rulesFor = desiredFor({ ...consul, services, acl: this.aclOf(consul) }, this.#compiler);
    const planned = new Map<NamespaceId, Planned<IngressDesired>>();
    for (const namespace of this.#found.namespaces) {
      const rules = rulesFor(namespace.keys);
      const wait = rules.awaits ? this.#options.grace : undefined;
      planned.set(namespace.id, { kind: 'apply', desired: { namespace, rules }, wait });
    }
    this.#preparer?.prepare(rulesFor);
    this.#compiler.sweep();
    return planned;
  }

  namespaceOf({ namespace }: IngressDesired): NetworkNamespace {
    return namespace;
  }

  describe({ namespace: { keys } }: IngressDesired): object {
    return { ingress: keys.length <= MOST_KEYS ? keys : [...keys.slice(0, MOST_KEYS), '…'] };
  }

  isSame(one: IngressDesired, other: IngressDesired): boolean {
    return isSameRules(one.rules, other.rules) && one.namespace.mode === other.namespace.mode;
  }

  /** While no keys are known, the previous rules stay. */
  isFallback({ rules }: IngressDesired): boolean {
    return !rules.isKnown;
  }

  /** In a namespace that was made since, only the gate can have loaded rules before us, and it leaves a record. */
  loadedAtStart({ namespace: { id, target } }: IngressDesired): Promise<Loaded | undefined> | undefined {
    const { gate } = this.#options;
    return gate !== undefined && this.#earlier?.has(id) === false ? askGate(gate, target) : undefined;
  }

  async render({ namespace, rules }: IngressDesired): Promise<Rendering> {
    return { ruleset: { owner: INGRESS, ...this.#renderer.render(rules.policy, namespace.mode) } };
  }
}

async function askGate(gate: IngressGate, target: Container): Promise<Loaded | undefined> {
  const fingerprint = await waitUntil(GATE_LIMIT, gate.loadedIngress(target), undefined);
  return fingerprint === undefined ? undefined : { ...NOTHING_LOADED, fingerprint };
}

/** Keys in a line of the log. */
const MOST_KEYS = 16;
