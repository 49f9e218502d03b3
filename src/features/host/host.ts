/**
 * The host's rules as a feature: one rule set for the ports of containers and the forwards of this host, in one table.
 */
import type { Plan } from '../../common/plan.ts';
import type { Problem } from '../../common/problem.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { HOST, type NetworkNamespace } from '../../inventory/namespace.ts';
import type { Networks } from '../../inventory/network.ts';
import type { Ruleset } from '../../inventory/ruleset.ts';
import type { Rendered } from '../../rendering/fingerprint.ts';
import type { Feature } from '../feature.ts';
import { rulesAfterReboot } from './after-reboot.ts';
import { bridgeProblems, bridgesOf } from './bridges.ts';
import type { ContainerCallers } from './callers.ts';
import { type CanonicalHost, canonicalHost } from './canonical.ts';
import { type Conventions, conventionalServices } from './conventions.ts';
import { publishedForwards } from './forwards.ts';
import type { Bridge, Forward, Guard, HostRuleSet, Permit } from './model.ts';
import type { PersistedPorts, PortOverrides } from './port-overrides.ts';
import { portsOf } from './ports.ts';
import { type MatchedContainers, nodeProblems, registeredServices } from './registrations.ts';
import { type HostTemplate, renderHost } from './render.ts';

export interface HostOptions {
  /** Undefined: container ports are not guarded. */
  readonly guard: Guard | undefined;
  /** Guarded bridges, by name of the device. */
  readonly bridges: readonly string[] | 'all';
  /** Where services are read from: Consul's catalog, or what containers say by registrator's conventions. */
  readonly services: 'consul' | Conventions;
  /** This host's name in Consul. */
  readonly node?: string;
  /** `auto`: where the Engine manages no firewall itself. */
  readonly forwards: 'auto' | 'on' | 'off';
  readonly template: HostTemplate;
}

export interface HostDesired {
  readonly namespace: NetworkNamespace;
  readonly rules: HostRuleSet;
  readonly problems: readonly Problem[];
  readonly rendered: Rendered;
}

/** What others claim of the host's rules, with what is wrong with it. */
export interface Claims {
  readonly permits: readonly Permit[];
  readonly forwards: readonly Forward[];
  readonly problems: readonly Problem[];
}

const NO_CLAIMS: Claims = { permits: [], forwards: [], problems: [] };

export interface HostMemory {
  /** What registrations were matched with in the previous run. */
  readonly previous: MatchedContainers | undefined;
  /** Called after a change. */
  readonly persist: (matched: MatchedContainers) => void;
}

/** What the rules depend on; the same parts by identity have the same rules. */
type Inputs = Pick<Inventory, 'containers' | 'networks'> & {
  readonly services: Inventory['consul']['nodeServices'];
  readonly hasForwards: boolean;
  readonly byHand: PersistedPorts;
  readonly claims: Claims;
  readonly callers: Callers;
};

/** Of the containers that say themselves who may call. */
type Callers = ReadonlyMap<ContainerId, ContainerCallers>;

/** Whose table this is. */
const OWNER = 'host';

export class Host implements Feature<HostDesired> {
  readonly name = OWNER;
  readonly owner = OWNER;
  /** What is forwarded finds its way through other firewalls from the first packet. */
  readonly after = ['passages', 'attachments'];
  readonly #options: HostOptions;
  readonly #byHand: PortOverrides;
  readonly #memory: HostMemory;
  #matched: MatchedContainers;
  #claims = NO_CLAIMS;
  #callers: Callers = new Map();
  #last: { readonly inputs: Inputs; readonly desired: HostDesired } | undefined;

  constructor(
    options: HostOptions,
    byHand: PortOverrides,
    memory: HostMemory = { previous: undefined, persist: () => {} },
  ) {
    this.#options = options;
    this.#byHand = byHand;
    this.#memory = memory;
    this.#matched = memory.previous ?? new Map();
  }

  /** Nothing until all that it depends on is known: what is loaded stays meanwhile. */
  isKnown({ networks, consul, engine }: Inventory): boolean {
    const { guard, forwards, services } = this.#options;
    if (networks === undefined) return false;
    if (guard !== undefined && services === 'consul' && consul.nodeServices === undefined) return false;
    return forwards !== 'auto' || engine?.managesFirewall !== undefined;
  }

  /** They count from the next plan on. */
  claim(claims: Claims): void {
    this.#claims = claims;
  }

  /** The same; unchanged ones are the identical object. */
  limit(callers: Callers): void {
    this.#callers = callers;
  }

  /** Containers whose ports are open to the callers alone that they name, with a text for these. */
  get limited(): ReadonlyMap<ContainerId, string> {
    return new Map([...this.#callers].flatMap(([id, one]) => (one.isLimiting ? [[id, one.text]] : [])));
  }

  /** Call it only where `isKnown`. */
  plan(inventory: Inventory): Plan<HostDesired> {
    const namespace = inventory.namespaces.get(HOST);
    if (namespace === undefined) return new Map();
    const desired = { ...this.#desired(inventory, namespace), namespace };
    return new Map([[HOST, { kind: 'apply', desired }]]);
  }

  isSame = (one: HostDesired, other: HostDesired): boolean =>
    one.rendered.fingerprint === other.rendered.fingerprint;

  namespaceOf = ({ namespace }: HostDesired): NetworkNamespace => namespace;

  describe = ({ rules }: HostDesired): object => ({
    openings: rules.openings.length,
    forwards: rules.forwards.length,
  });

  async render({ rendered }: HostDesired): Promise<{ readonly ruleset: Ruleset }> {
    return { ruleset: { owner: OWNER, ...rendered } };
  }

  /** The text that may be loaded after a reboot, before a controller runs. */
  textAfterReboot = ({ rules }: HostDesired): string =>
    renderHost(this.#options.template, rulesAfterReboot(rules)).text;

  #desired({ containers, networks, consul, engine }: Inventory, namespace: NetworkNamespace): HostDesired {
    const hasForwards = this.#hasForwards(engine);
    const inputs = {
      containers,
      networks,
      services: consul.nodeServices,
      hasForwards,
      byHand: this.#byHand.all,
      claims: this.#claims,
      callers: this.#callers,
    };
    if (this.#last !== undefined && isSameInputs(this.#last.inputs, inputs)) return this.#last.desired;
    const { rules, problems, matched } = hostRules(this.#options, inputs, this.#matched);
    this.#persist(matched);
    const rendered = renderHost(this.#options.template, rules);
    const desired = { namespace, rules, problems, rendered };
    this.#last = { inputs, desired };
    return desired;
  }

  #persist(matched: MatchedContainers): void {
    const isSame = isSameMatch(matched, this.#matched);
    this.#matched = matched;
    if (!isSame) this.#memory.persist(matched);
  }

  #hasForwards(engine: Inventory['engine']): boolean {
    const { forwards } = this.#options;
    return forwards === 'on' || (forwards === 'auto' && engine?.managesFirewall === false);
  }
}

const isSameMatch = (one: MatchedContainers, other: MatchedContainers): boolean =>
  one.size === other.size &&
  [...one].every(([registration, ids]) => other.get(registration)?.join() === ids.join());

const isSameInputs = (one: Inputs, other: Inputs): boolean =>
  one.containers === other.containers &&
  one.networks === other.networks &&
  one.services === other.services &&
  one.hasForwards === other.hasForwards &&
  one.byHand === other.byHand &&
  one.claims === other.claims &&
  one.callers === other.callers;

type RuleOptions = Omit<HostOptions, 'template'>;

/** The rules for what exists, with the problems of both sources. */
function hostRules(
  options: RuleOptions,
  inputs: Inputs,
  before: MatchedContainers,
): CanonicalHost & { readonly matched: MatchedContainers } {
  const { guard } = options;
  const { networks = new Map(), hasForwards, byHand, claims, callers } = inputs;
  const containers = [...inputs.containers.values()].filter(({ running }) => running);
  const isGuarded = guard === undefined ? 'none' : options.bridges;
  const bridges = bridgesOf(networks, { guarded: isGuarded, masquerades: hasForwards });
  const guarded = onGuarded(containers, networks, bridges);
  const services = servicesFor(options, inputs, { containers, guarded, before });
  const { rules, problems } = canonicalHost({
    ...{ bridges, ...portsOf(services.found, guarded, { byHand, callers }) },
    guard: guard && { ...guard, guardsNewBridges: options.bridges === 'all' },
    forwards: [...claims.forwards, ...(hasForwards ? publishedForwards(containers, networks) : [])],
    permits: claims.permits,
  });
  const all = [
    ...[...claims.problems, ...bridgeProblems(networks, isGuarded)],
    ...[...services.problems, ...problems],
  ];
  return { rules, problems: all, matched: services.matched };
}

interface Known {
  readonly containers: readonly Container[];
  readonly guarded: readonly Container[];
  readonly before: MatchedContainers;
}

function servicesFor(
  { guard, services: source, node = '' }: RuleOptions,
  { services = [], networks = new Map() }: Inputs,
  { containers, guarded, before }: Known,
) {
  if (guard === undefined) return { found: [], problems: [], matched: before };
  if (source === 'consul') {
    const registered = registeredServices(services, { containers, guarded, networks }, before);
    return { ...registered, problems: [...nodeProblems(services, node), ...registered.problems] };
  }
  return { ...conventionalServices(containers, guarded, source), matched: before };
}

/** Those that are on one guarded bridge at least. */
function onGuarded(
  containers: readonly Container[],
  networks: Networks,
  bridges: readonly Bridge[],
): readonly Container[] {
  const guarded = new Set(bridges.filter(({ isGuarded }) => isGuarded).map(({ name }) => name));
  return containers.filter((container) =>
    container.networks.some(({ id }) => guarded.has(networks.get(id)?.bridge ?? '')),
  );
}
