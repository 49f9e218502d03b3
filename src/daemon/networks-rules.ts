/**
 * networks.json in the controller: plans from the file and the inventory, has the reconciler make what is missing, and
 * hands over what belongs in the host's rules.
 */

import type { Problem } from '../common/problem.ts';
import type { FailingStep, NetworksView } from '../diagnostics/networks-view.ts';
import type { Claims } from '../features/host/host.ts';
import { addressesOf } from '../features/host/ports.ts';
import { entryStates, type NetworkStep } from '../features/networks/entry-states.ts';
import { type NetworksPlan, planOf } from '../features/networks/plan.ts';
import type { ReadNetworks } from '../features/networks/read.ts';
import type { HostFacts } from '../inventory/host-facts.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Watched } from '../inventory/sources.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import { HostFactsWatch } from './host-facts.ts';
import { type NetworksFileOptions, NetworksFileWatch } from './networks-file.ts';
import { type NetworksReconcilerPorts, NetworksReconcilers } from './networks-reconcilers.ts';

export interface NetworksPorts extends NetworksReconcilerPorts {
  readonly watchFile: (path: string, onChange: () => void) => Watched<string>;
}

const NOTHING: Claims = { permits: [], forwards: [], problems: [] };

export class NetworksRules {
  readonly #file: NetworksFileWatch;
  readonly #facts: HostFactsWatch | undefined;
  readonly #reconcilers: NetworksReconcilers;
  readonly #jobs: Pick<Reconciler, 'idle'>;
  #last: Last | undefined;

  constructor(
    options: NetworksFileOptions,
    reconciler: Reconciler,
    ports: NetworksPorts,
    onChange: () => void,
  ) {
    this.#file = new NetworksFileWatch(options, ports.watchFile, onChange);
    this.#facts = ports.hostFacts && new HostFactsWatch(ports.hostFacts, ports.log, onChange);
    this.#jobs = reconciler;
    this.#reconcilers = new NetworksReconcilers(reconciler, ports, () => this.#facts?.refresh());
  }

  /** False while it is not known what the file says. */
  get isKnown(): boolean {
    return this.#file.isKnown;
  }

  /**
   * What belongs in the host's rules; while there is no problem, the same object for the same inputs. `isSettled`: all
   * containers are known, or were waited for: those that the Engine never describes must not keep others waiting.
   */
  sync(inventory: Inventory, isSettled: boolean): Claims {
    const { containers, networks } = inventory;
    const read = this.#file.read();
    if (read === undefined || networks === undefined || !isSettled)
      return this.#withFaults(this.#last?.claims ?? NOTHING);
    const hasFacts = this.#facts?.isKnown !== false;
    const inputs = { read, containers, networks, hasFacts, host: this.#facts?.value };
    if (this.#last === undefined || !isSame(this.#last.inputs, inputs)) {
      const last = this.#last?.inputs;
      if (last !== undefined && (last.networks !== networks || last.read !== read)) this.#refreshFacts();
      this.#last = this.#planned(inventory, inputs);
    }
    return this.#withFaults(this.#last.claims);
  }

  /** Of the file, and of what follows from it. */
  get problems(): readonly Problem[] {
    return this.#withFaults(this.#last?.claims ?? NOTHING).problems;
  }

  /** `isHostLoaded`: the host's rules have what was claimed. */
  view(isHostLoaded: boolean): NetworksView {
    const { path, readAt, problems } = this.#file;
    const { steps } = this.#reconcilers;
    return {
      ...{ path, readAt, error: problems[0]?.reason },
      ...(this.#last ? viewOf(this.#last, steps, isHostLoaded) : NOTHING_KNOWN),
      failing: steps.flatMap(failingStep),
      problems: this.problems,
    };
  }

  async close(): Promise<void> {
    this.#file.close();
    await this.#facts?.close();
  }

  /** After the jobs for what has changed: a look at the host by a helper would take processor time from them. */
  #refreshFacts(): void {
    setImmediate(() => void this.#jobs.idle().then(() => this.#facts?.refresh()));
  }

  #planned(inventory: Inventory, inputs: Inputs): Last {
    const { read, containers, networks, host, hasFacts } = inputs;
    const { namespaces } = inventory;
    const plan = planOf(read, { containers: containers.values(), namespaces, networks, host });
    this.#reconcilers.apply(plan.desired, inventory, hasFacts);
    return { inputs, plan, claims: claimsOf(plan) };
  }

  #withFaults(claims: Claims): Claims {
    const faults = [...this.#file.problems, ...this.#reconcilers.failures];
    return faults.length === 0 ? claims : { ...claims, problems: [...faults, ...claims.problems] };
  }
}

interface Last {
  readonly inputs: Inputs;
  readonly plan: NetworksPlan;
  readonly claims: Claims;
}

const NOTHING_KNOWN: Pick<NetworksView, 'entries' | 'permits' | 'inner'> = {
  ...{ entries: { networks: [], attachments: [], policies: [], routes: [] }, permits: [], inner: [] },
};

function viewOf({ inputs, plan }: Last, steps: readonly NetworkStep[], isHostLoaded: boolean) {
  const containers = [...inputs.containers.values()].filter(({ running }) => running);
  const { permits, inner } = plan.desired;
  return {
    entries: entryStates(inputs.read, plan, { containers, steps, isHostLoaded }),
    permits,
    inner: [...inner.values()].map(({ container, forwards }) => ({
      ...{ container, forwards },
      addresses: containers.filter(({ name }) => name === container).flatMap(addressesOf),
    })),
  };
}

const failingStep = ({ name, reason, retryAt }: NetworkStep): readonly FailingStep[] =>
  reason === undefined ? [] : [{ name, reason, retryAt }];

interface Inputs extends Pick<Inventory, 'containers'> {
  readonly networks: NonNullable<Inventory['networks']>;
  readonly read: ReadNetworks;
  readonly host: HostFacts | undefined;
  /** The host's own routes are known, or cannot be. */
  readonly hasFacts: boolean;
}

const isSame = (one: Inputs, other: Inputs): boolean =>
  one.read === other.read &&
  one.host === other.host &&
  one.hasFacts === other.hasFacts &&
  one.containers === other.containers &&
  one.networks === other.networks;

/** The file keeps a port before what is published later. */
const SINCE = '0000-01-01T00:00:00Z';

function claimsOf({ desired: { permits, hostForwards }, problems }: NetworksPlan): Claims {
  const originOf = (path: string) => ({ text: `${path} of networks.json`, since: SINCE });
  return {
    permits: permits.map((one) => ({ ...one, origin: originOf(one.origin.path) })),
    forwards: hostForwards.map(({ device, protocol, port, to, toPort, origin }) => ({
      ...{ at: { kind: 'device', name: device }, protocol, port, to, toPort },
      origin: originOf(origin.path),
    })),
    problems: problems.map((one) => ({ ...one, reason: `networks.json: ${one.text}: ${one.reason}` })),
  };
}
