/**
 * networks.json in the controller: plans from the file and the inventory, has the reconciler make what Docker lacks, and
 * hands over what belongs in the host's rules.
 */
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { NamespaceRoutes } from '../dataplane/namespace-routes.ts';
import type { Claims } from '../features/host/host.ts';
import { InnerNat, type NatDesired } from '../features/networks/inner-nat.ts';
import { planRoutes, type RoutesDesired } from '../features/networks/inner-routes.ts';
import type { Attachment, NetworkEntry } from '../features/networks/model.ts';
import { loadNatTemplate } from '../features/networks/nat.ts';
import { type NetworksPlan, planOf } from '../features/networks/plan.ts';
import type { ReadNetworks } from '../features/networks/read.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Namespaces, NetworkNamespace } from '../inventory/namespace.ts';
import type { Network, Attachment as NetworkEnd } from '../inventory/network.ts';
import type { NetworkMaker, Watched } from '../inventory/sources.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords } from '../reconciler/load-records.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import { nameOf, type ObservedRules, RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import { attachmentDriver, attachmentName, networkDriver, routeDriver } from './network-steps.ts';
import { NetworksFile, type NetworksFileOptions } from './networks-file.ts';
import { rulesetLoader } from './ruleset-loader.ts';

export interface NetworksPorts {
  readonly watchFile: (path: string, onChange: () => void) => Watched<string>;
  /** Undefined: nothing is made, as in a dry run. */
  readonly networkMaker?: NetworkMaker | undefined;
  readonly dataplane: Dataplane;
  /** Undefined: none is made, as in a dry run. */
  readonly namespaceRoutes?: NamespaceRoutes | undefined;
  readonly onDrift?: ((container: string) => void) | undefined;
  readonly log: Logger;
}

const NOTHING: Claims = { permits: [], forwards: [], problems: [] };

export class NetworksRules {
  readonly #file: NetworksFile;
  readonly #networks: FeatureReconciler<NetworkEntry, Network | 'absent'> | undefined;
  readonly #attachments: FeatureReconciler<Attachment, NetworkEnd | 'absent'> | undefined;
  readonly #nat = new InnerNat(loadNatTemplate());
  readonly #natStates: FeatureReconciler<NatDesired, ObservedRules>;
  readonly #routes: FeatureReconciler<RoutesDesired, RoutesDesired> | undefined;
  #last: { readonly inputs: Inputs; readonly plan: NetworksPlan; readonly claims: Claims } | undefined;

  constructor(
    options: NetworksFileOptions,
    reconciler: Reconciler,
    { watchFile, networkMaker, dataplane, namespaceRoutes, onDrift, log }: NetworksPorts,
    onChange: () => void,
  ) {
    this.#file = new NetworksFile(options, watchFile, onChange);
    this.#networks =
      networkMaker &&
      reconciler.add(networkDriver(networkMaker), {
        ended: ({ desired }, outcome) => {
          if (outcome === 'applied') log.info({ network: desired.name }, 'network made');
        },
        failed: ({ desired }, { message }) =>
          log.error({ network: desired.name, error: message }, 'network could not be made; trying again'),
      });
    this.#attachments =
      networkMaker &&
      reconciler.add(attachmentDriver(networkMaker), {
        ended: ({ desired: { container, network } }, outcome) => {
          if (outcome === 'applied') log.info({ container, network }, 'container attached to a network');
        },
        failed: ({ desired: { container, network } }, { message }) =>
          log.error(
            { container, network, error: message },
            'container could not be attached to a network; trying again',
          ),
      });
    const context = {
      ...{ loader: rulesetLoader(dataplane), records: new LoadRecords(undefined, () => {}), log },
      onDrift: (one: NetworkNamespace) => onDrift?.(nameOf(one)),
    };
    const driver = new RulesetDriver(this.#nat, context);
    this.#natStates = reconciler.add(driver, rulesetReports(this.#nat, context));
    this.#routes =
      namespaceRoutes &&
      reconciler.add(routeDriver(namespaceRoutes), {
        ended: ({ desired: { namespace, lines } }, outcome) => {
          if (outcome === 'applied') log.info({ container: nameOf(namespace), routes: lines }, 'routes made');
        },
        failed: ({ desired: { namespace } }, { message }) =>
          log.error(
            { container: nameOf(namespace), error: message },
            'routes could not be made; trying again',
          ),
      });
  }

  /** False while it is not known what the file says. */
  get isKnown(): boolean {
    return this.#file.isKnown;
  }

  /** What belongs in the host's rules; the same object for the same inputs. */
  sync(inventory: Inventory): Claims {
    const { containers, networks, namespaces, isComplete } = inventory;
    const read = this.#file.read();
    if (read === undefined || networks === undefined || !isComplete)
      return this.#withFaults(this.#last?.claims ?? NOTHING);
    const inputs = { read, containers, networks };
    if (this.#last === undefined || !isSame(this.#last.inputs, inputs)) {
      const around = { containers: containers.values(), namespaces, networks };
      const plan = planOf(read, { ...around, routes: undefined, devices: undefined });
      this.#last = { inputs, plan, claims: claimsOf(plan) };
      this.#apply(plan, namespaces);
    }
    return this.#withFaults(this.#last.claims);
  }

  close(): void {
    this.#file.close();
  }

  /** A network or a container's end that is not missing any more leaves the plan. */
  #apply({ desired }: NetworksPlan, namespaces: Namespaces): void {
    const { networks, attachments } = desired;
    const gone = () => false;
    this.#natStates.sync(this.#nat.plan(desired, namespaces), (id) => namespaces.has(id));
    this.#routes?.sync(planRoutes(desired, namespaces), (id) => namespaces.has(id));
    this.#networks?.sync(new Map(networks.map((one) => [one.name, { kind: 'apply', desired: one }])), gone);
    this.#attachments?.sync(
      new Map(attachments.map((one) => [attachmentName(one), { kind: 'apply', desired: one }])),
      gone,
    );
  }

  #withFaults(claims: Claims): Claims {
    const faults: readonly Problem[] = [...this.#file.problems, ...this.#failures()];
    return faults.length === 0 ? claims : { ...claims, problems: [...faults, ...claims.problems] };
  }

  #failures(): readonly Problem[] {
    const failed = (text: string, error: Error | undefined): readonly Problem[] =>
      error === undefined ? [] : [{ severity: 'error', text, reason: `${text}: ${error.message}` }];
    return [
      ...[...(this.#networks?.states() ?? [])].flatMap(({ desired, lastError }) =>
        failed(desired.origin.path, lastError),
      ),
      ...[...(this.#attachments?.states() ?? [])].flatMap(({ desired, lastError }) =>
        failed(desired.origin.path, lastError),
      ),
      ...[...this.#natStates.states()].flatMap(({ desired, lastError }) =>
        failed(`the ports of ${nameOf(desired.namespace)} that lead elsewhere`, lastError),
      ),
      ...[...(this.#routes?.states() ?? [])].flatMap(({ desired, lastError }) =>
        failed(`the routes of ${nameOf(desired.namespace)}`, lastError),
      ),
    ];
  }
}

interface Inputs extends Pick<Inventory, 'containers' | 'networks'> {
  readonly read: ReadNetworks;
}

const isSame = (one: Inputs, other: Inputs): boolean =>
  one.read === other.read && one.containers === other.containers && one.networks === other.networks;

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
