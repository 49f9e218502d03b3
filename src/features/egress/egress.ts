/**
 * Egress rules as a feature: plans the rules of each namespace with workloads, from the inventory.
 */
import type { Plan, Planned } from '../../common/plan.ts';
import type { Container } from '../../inventory/container.ts';
import type { ConsulSnapshot, Inventory } from '../../inventory/inventory.ts';
import type { NamespaceId, Namespaces } from '../../inventory/namespace.ts';
import type { ServiceRef } from '../../inventory/service.ts';
import { type Mode, parseWorkload } from '../../inventory/workload.ts';
import type { Prefix } from '../../net/address.ts';
import { type Acl, parseAcl } from '../../policy/acl.ts';
import { grantedKeys, servicesOf } from '../../policy/compile.ts';
import { PolicyCompiler } from '../../policy/policy-compiler.ts';
import type { Feature } from '../feature.ts';
import { desiredFor, type EgressDesired, NO_RULES } from './desired.ts';
import { DnsFacts, type DnsFactsOptions } from './dns-facts.ts';
import type { Gate } from './gate.ts';
import { NAMES_NOT_IN_USE, type NameSupport } from './name-rules.ts';
import type { NameSource } from './name-source.ts';
import { type NotEnabled, notEnabled } from './not-enabled.ts';
import { type Override, Overrides, type OverridesOptions } from './overrides.ts';
import { Preparer } from './preparer.ts';
import { Renderer } from './renderer.ts';
import { EgressRules } from './rules.ts';
import { type EgressState, type NamespaceStatus, statusOf } from './status.ts';
import { type EgressTemplate, needsUngranted } from './template.ts';
import { type Member, type Workloads, workloadsIn } from './workload-namespaces.ts';

export interface EgressOptions {
  readonly template: EgressTemplate;
  /** Addresses that a broad prefix does not grant. */
  readonly protectedHosts: readonly Prefix[];
  /** The mode of workloads without EGRESSTRATOR_MODE. */
  readonly mode: Mode;
  /** Milliseconds that a load waits for sources that answer in a moment; then it uses the known data. */
  readonly grace: number;
  /** Lists of grants to prepare for the gate, besides those of all seen workloads. */
  readonly prepare: readonly (readonly string[])[];
  /** The gate, if this host may have one. */
  readonly gate?: Gate | undefined;
  readonly facts: DnsFactsOptions;
  /** Undefined: nothing serves names. */
  readonly names?: NameSource | undefined;
  readonly overrides: OverridesOptions;
}

export class Egress implements Feature<EgressDesired> {
  readonly rules: EgressRules;
  readonly #options: EgressOptions;
  readonly #compiler: PolicyCompiler;
  readonly #facts: DnsFacts;
  readonly #overrides: Overrides;
  readonly #preparer: Preparer | undefined;
  #renderer: Renderer;
  #workloads: Workloads = { namespaces: [], unsupported: [] };
  #notEnabled: readonly NotEnabled[] = [];
  #acl: { readonly texts: ConsulSnapshot['rules']; readonly parsed: Acl } | undefined;
  /** True once all containers that ran at our start have been read. */
  #hasCompleteInventory = false;

  constructor(options: EgressOptions) {
    this.#options = options;
    this.#compiler = new PolicyCompiler(options.protectedHosts);
    this.#facts = new DnsFacts(options.facts);
    this.#overrides = new Overrides(options.overrides);
    this.#preparer = openPreparer(options);
    this.#renderer = new Renderer(options.template);
    this.rules = new EgressRules({
      renderer: () => this.#renderer,
      resolvers: (namespace, gate) => this.#facts.of(namespace, gate),
      gate: options.gate,
      names: options.names,
    });
  }

  get template(): EgressTemplate {
    return this.#renderer.template;
  }

  get nameSupport(): NameSupport {
    const { names } = this.#options;
    return {
      template: this.template,
      unavailable: names === undefined ? NAMES_NOT_IN_USE : names.unavailable,
    };
  }

  /** Uses another template from now on; the caller has tested it. */
  useTemplate(template: EgressTemplate): void {
    this.#renderer = new Renderer(template);
  }

  /** Sets or (with `undefined`) ends an operator's override for containers. */
  override(containers: readonly Container[], override: Override | undefined): void {
    for (const container of containers) this.#overrides.set(container, override);
  }

  /** The unsupported workloads of the last plan. */
  get unsupported(): Workloads['unsupported'] {
    return this.#workloads.unsupported;
  }

  get namespaces(): Workloads['namespaces'] {
    return this.#workloads.namespaces;
  }

  /** Containers that name keys without EGRESSTRATOR_ENABLE=1. */
  get notEnabled(): readonly NotEnabled[] {
    return this.#notEnabled;
  }

  /** The parsed keys in Consul; undefined until they are read. */
  aclOf({ rules }: Pick<ConsulSnapshot, 'rules'>): Acl | undefined {
    if (rules === undefined) return undefined;
    if (this.#acl?.texts !== rules) this.#acl = { texts: rules, parsed: parseAcl(rules, this.#acl?.parsed) };
    return this.#acl.parsed;
  }

  /** The services that a plan for this inventory needs. */
  references({ containers, isComplete, namespaces, consul }: Inventory): readonly ServiceRef[] {
    // Until all are read, a missing container may still run.
    if (isComplete) this.#overrides.retain(containers);
    this.#readWorkloads(containers, namespaces);
    const acl = this.aclOf(consul);
    if (acl === undefined) return [];
    const grantHolders = [...this.#workloads.namespaces, ...(this.#preparer?.requests() ?? [])];
    const grants = new Set(grantHolders.flatMap((one) => one.grants));
    return servicesOf(needsUngranted(this.template) ? acl.values() : grantedKeys([...grants], acl));
  }

  /** Call `references` for the same containers first. */
  plan({ isComplete, namespaces, consul }: Inventory): Plan<EgressDesired> {
    const acl = this.aclOf(consul);
    const isDenylist = needsUngranted(this.template);
    const rulesFor = desiredFor({ ...consul, acl, isDenylist }, this.#compiler);
    const planned = new Map<NamespaceId, Planned<EgressDesired>>();
    for (const namespace of this.#workloads.namespaces) {
      const rules = rulesFor(namespace.grants);
      const wait = rules.awaits ? this.#options.grace : undefined;
      planned.set(namespace.id, { kind: 'apply', desired: { namespace, rules }, wait });
    }
    for (const desired of this.#cleared(namespaces))
      planned.set(desired.namespace.id, { kind: 'release', desired });
    for (const { desired } of planned.values())
      this.rules.registerStart(desired.namespace, this.#hasCompleteInventory);
    this.rules.retain(namespaces);
    if (acl !== undefined || consul.ages.rules === 'outdated')
      this.#preparer?.prepare(rulesFor, this.#renderer, this.nameSupport.unavailable);
    this.#compiler.sweep();
    // A container that is read only now may have started before us.
    this.#hasCompleteInventory ||= isComplete;
    return planned;
  }

  /** False once rules are removed by hand from a container that has no ACL keys of its own: nothing is missing there. */
  hasStatus({ desired, condition }: EgressState): boolean {
    const { mode } = this.#options;
    const isWorkload = ({ container }: Member) => parseWorkload(container, mode) !== undefined;
    return condition !== 'released' || desired.namespace.members.some(isWorkload);
  }

  status(state: EgressState): NamespaceStatus {
    const { namespace } = state.desired;
    const problem = this.#facts.problem(namespace.id);
    const status = statusOf(state, this.nameSupport, problem === undefined ? [] : [problem]);
    return { ...status, byHand: this.#overrides.about(namespace) };
  }

  close(): Promise<void> {
    return this.#facts.close();
  }

  #readWorkloads(containers: Inventory['containers'], namespaces: Namespaces): void {
    const overrides = this.#overrides;
    this.#workloads = workloadsIn(namespaces, (one) => overrides.read(one, this.#options.mode));
    this.#notEnabled = notEnabled(containers, this.#workloads, (one) => overrides.has(one));
    for (const { members } of this.#workloads.namespaces) {
      for (const { workload } of members) this.#preparer?.see(workload);
    }
    this.#facts.follow(this.#workloads.namespaces);
  }

  /** The previous run may have ended before it removed the rules of a cleared container. */
  #cleared(namespaces: Namespaces): readonly EgressDesired[] {
    const { mode } = this.#options;
    const cleared = workloadsIn(namespaces, (one) => this.#overrides.readCleared(one, mode)).namespaces;
    return cleared
      .filter(({ id }) => !this.rules.has(id) && !this.#workloads.namespaces.some((one) => one.id === id))
      .map((namespace) => ({ namespace, rules: NO_RULES }));
  }
}

function openPreparer({ prepare, mode, gate }: EgressOptions): Preparer | undefined {
  const named = prepare.map((grants) => ({ grants: [...grants].sort(), mode, dns: 'resolvers' as const }));
  return gate === undefined ? undefined : new Preparer(gate, named);
}
