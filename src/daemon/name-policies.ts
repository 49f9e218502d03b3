/**
 * Makes what a namespace may ask and reach by name, from its keys, the Engine's containers and this host's addresses. A
 * policy stays the same object while what it is made from does: another one lets answers fail that are on their way.
 */
import { NeverGranted } from '../features/names/addresses.ts';
import { consulNames } from '../features/names/consul-names.ts';
import type { NamePolicy } from '../features/names/decision.ts';
import { namesByNetwork, namesOn } from '../features/names/docker-names.ts';
import { LocalNames } from '../features/names/local-names.ts';
import { indexRules } from '../features/names/matching.ts';
import { neverGrantedOn } from '../features/names/never-granted.ts';
import type { Container } from '../inventory/container.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import type { Networks } from '../inventory/network.ts';
import type { Mode } from '../inventory/workload.ts';
import { formatPrefix, type Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { type CompiledPolicy, grantedKeys } from '../policy/compile.ts';
import type { CompiledNames } from '../policy/compile-names.ts';
import { formatNameRule } from '../policy/name-rule.ts';

export interface NamePolicyOptions {
  /** Seconds beyond the lifetime of a record. */
  readonly grace: number;
  readonly answer: 'refused' | 'nxdomain';
  readonly protectedHosts: readonly Prefix[];
  /** Of Consul's agent, as far as they are known. */
  readonly consul: readonly Prefix[];
  /** The addresses of this host, now. */
  readonly ownAddresses: () => readonly Prefix[];
}

/** A namespace with rules by name. */
export interface NamedNamespace {
  readonly id: NamespaceId;
  readonly mode: Mode;
  readonly target: Container;
  readonly grants: readonly string[];
}

interface Known {
  readonly local: LocalNames;
  readonly policy: NamePolicy;
  readonly inputs: readonly unknown[];
}

const CONSUL_DOMAIN = ['consul'];

export class NamePolicies {
  readonly #options: NamePolicyOptions;
  readonly #known = new Map<NamespaceId, Known>();
  /** By what each policy was compiled from. */
  readonly #consulNames = new WeakMap<CompiledPolicy, ReadonlySet<string>>();
  readonly #words = new WeakMap<CompiledNames, string>();
  #never: { readonly words: string; readonly addresses: NeverGranted } | undefined;

  constructor(options: NamePolicyOptions) {
    this.#options = options;
  }

  /** Call it once for each inventory; the result makes the policies of its namespaces. */
  under(
    { containers, networks, consul }: Pick<Inventory, 'containers' | 'networks' | 'consul'>,
    acl: Acl,
  ): (namespace: NamedNamespace, compiled: CompiledPolicy) => NamePolicy {
    const never = this.#neverGranted(networks);
    const docker = namesByNetwork(containers.values());
    return (namespace, compiled) => {
      const known = this.#policyOf(namespace, compiled, never);
      known.local.docker = namesOn(namespace.target.networks, docker);
      known.local.consul = this.#consulNamesOf(namespace, compiled, acl, consul.services);
      return known.policy;
    };
  }

  retain(namespaces: { has(id: NamespaceId): boolean }): void {
    for (const id of this.#known.keys()) if (!namespaces.has(id)) this.#known.delete(id);
  }

  #policyOf({ id, mode }: NamedNamespace, { names }: CompiledPolicy, never: NeverGranted): Known {
    const known = this.#known.get(id);
    const inputs = [this.#wordsOf(names), never, mode];
    if (known !== undefined && inputs.every((one, index) => one === known.inputs[index])) return known;
    const local = known?.local ?? new LocalNames();
    const { grace, answer } = this.#options;
    const policy: NamePolicy = {
      ...{ never, grace, answer, mode, consulDomain: CONSUL_DOMAIN },
      index: indexRules(names.lines.map(({ rule }) => rule)),
      localResolver: local.resolverOf,
    };
    const made = { local, policy, inputs };
    this.#known.set(id, made);
    return made;
  }

  /** An edit of other lines makes other objects, and changes no name. */
  #wordsOf(names: CompiledNames): string {
    const known = this.#words.get(names);
    const words = known ?? names.lines.map(({ rule }) => formatNameRule(rule)).join('\n');
    this.#words.set(names, words);
    return words;
  }

  #neverGranted(networks: Networks | undefined): NeverGranted {
    const { protectedHosts, consul, ownAddresses } = this.#options;
    const special = neverGrantedOn({ protectedHosts, consul, networks, own: ownAddresses() });
    const words = special.map(({ prefix, meaning }) => `${formatPrefix(prefix)} ${meaning}`).join('\n');
    if (this.#never?.words !== words) this.#never = { words, addresses: new NeverGranted(special) };
    return this.#never.addresses;
  }

  #consulNamesOf(
    { grants }: NamedNamespace,
    compiled: CompiledPolicy,
    acl: Acl,
    services: Inventory['consul']['services'],
  ): ReadonlySet<string> {
    const known = this.#consulNames.get(compiled);
    if (known !== undefined) return known;
    const rules = grantedKeys(grants, acl).flatMap((key) =>
      key.rules.flatMap(({ rule }) => (rule.kind === 'service' ? [rule] : [])),
    );
    const names = consulNames(rules, (service) => services.get(service) ?? [], CONSUL_DOMAIN);
    this.#consulNames.set(compiled, names);
    return names;
  }
}
