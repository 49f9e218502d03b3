/**
 * The reconciler's part of networks.json: networks, then containers in them, then (beside the host's rules) ports of
 * containers, then routes. Each has its own states, from which `failures` are made.
 */
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { HostFactsAccess } from '../dataplane/host-facts.ts';
import type { NamespaceConnections } from '../dataplane/namespace-connections.ts';
import type { NamespaceRoutes } from '../dataplane/namespace-routes.ts';
import type { NetworkStep } from '../features/networks/entry-states.ts';
import { InnerNat } from '../features/networks/inner-nat.ts';
import { noRoutesIn, planRoutes } from '../features/networks/inner-routes.ts';
import type { DesiredAttachment, DesiredNetworks, InnerRules } from '../features/networks/model.ts';
import { loadNatTemplate } from '../features/networks/nat.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { HOST, type NamespaceId, type Namespaces, type NetworkNamespace } from '../inventory/namespace.ts';
import type { NetworkMaker } from '../inventory/sources.ts';
import type { Driver } from '../reconciler/driver.ts';
import type { FeatureReconciler } from '../reconciler/feature-reconciler.ts';
import { LoadRecords } from '../reconciler/load-records.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import { nameOf, RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetReports } from '../reconciler/ruleset-reports.ts';
import type { ConnectionRecords } from './connection-records.ts';
import { InnerRecord } from './inner-record.ts';
import { NatConnections } from './nat-connections.ts';
import {
  attachmentDriver,
  attachmentName,
  forwardingDriver,
  networkDriver,
  routeDriver,
} from './networks-drivers.ts';
import { rulesetLoader } from './ruleset-loader.ts';

export interface NetworksReconcilerPorts {
  readonly dataplane: Dataplane;
  /** Undefined: no network is made, and no container attached, as in a dry run. */
  readonly networkMaker?: NetworkMaker | undefined;
  /** Undefined: no route is made, as in a dry run. */
  readonly namespaceRoutes?: NamespaceRoutes | undefined;
  /** Undefined: connections of removed rules in containers are left as they are. */
  readonly namespaceConnections?: NamespaceConnections | undefined;
  readonly connectionRecords?: ConnectionRecords | undefined;
  /** Undefined: the host's own routes and devices are not looked at. */
  readonly hostFacts?: HostFactsAccess | undefined;
  /** The namespaces of containers that the previous run put something into. */
  readonly previousInner?: ReadonlySet<NamespaceId> | undefined;
  /** Called with all of them after a change. */
  readonly persistInner?: ((namespaces: ReadonlySet<NamespaceId>) => void) | undefined;
  readonly onDrift?: ((container: string) => void) | undefined;
  readonly log: Logger;
}

/** `isComplete`: all containers are known. */
type Found = Pick<Inventory, 'namespaces' | 'isComplete'>;

/** A step in words. */
interface Words<Desired> {
  /** Where its entries stand in the file, as `networks.backend`. */
  readonly paths: (desired: Desired) => readonly string[];
  /** What it is about, for problems. */
  readonly name: (desired: Desired) => string;
  /** For logs. */
  readonly fields: (desired: Desired) => object;
  readonly done: string;
  readonly failed: string;
}

export class NetworksReconcilers {
  readonly #nat = new InnerNat(loadNatTemplate());
  /** Of each, what it is about and how far it is. */
  readonly #steps: (() => readonly NetworkStep[])[] = [];
  readonly #record: InnerRecord;
  #connections: NatConnections | undefined;
  #inner: DesiredNetworks['inner'] = new Map();
  readonly #apply: ((desired: DesiredNetworks, found: Found, mayMake: boolean) => void)[] = [];
  readonly #reconciler: Reconciler;
  readonly #log: Logger;

  /** `onForwarding`: called when the host forwards since. */
  constructor(reconciler: Reconciler, ports: NetworksReconcilerPorts, onForwarding: () => void) {
    this.#reconciler = reconciler;
    this.#log = ports.log;
    this.#record = new InnerRecord(ports.previousInner, ports.persistInner);
    if (ports.networkMaker !== undefined) this.#addDocker(ports.networkMaker, ports);
    if (ports.hostFacts !== undefined) this.#addForwarding(ports.hostFacts, onForwarding);
    this.#addNat(ports);
    if (ports.namespaceRoutes !== undefined) this.#addRoutes(ports.namespaceRoutes);
  }

  /** `mayMake`: whether it is known that a new network takes no addresses away from the host. */
  apply(desired: DesiredNetworks, found: Found, mayMake: boolean): void {
    this.#inner = desired.inner;
    this.#record.update(desired.inner.keys(), found);
    for (const apply of this.#apply) apply(desired, found, mayMake);
  }

  get steps(): readonly NetworkStep[] {
    return this.#steps.flatMap((stepsOf) => stepsOf());
  }

  /** What could not be made, and is tried again. */
  get failures(): readonly Problem[] {
    const failed = this.steps.flatMap(({ name, reason }) =>
      reason === undefined ? [] : problemOf(name, reason),
    );
    return [...failed, ...(this.#connections?.problems ?? [])];
  }

  /** What is not missing any more leaves the plan. */
  #addDocker(
    docker: NetworkMaker,
    { hostFacts, namespaceRoutes: routes }: Pick<NetworksReconcilerPorts, 'hostFacts' | 'namespaceRoutes'>,
  ): void {
    const networks = this.#add(networkDriver(docker, hostFacts), {
      name: ({ origin }) => origin.path,
      paths: ({ origin }) => [origin.path],
      fields: ({ name }) => ({ network: name }),
      done: 'network made',
      failed: 'network could not be made; trying again',
    });
    const attachments = this.#add(attachmentDriver(docker, routes), {
      name: ({ origin }) => origin.path,
      paths: ({ origin }) => [origin.path],
      fields: ({ container, network }) => ({ container, network }),
      done: 'container attached to a network',
      failed: 'container could not be attached to a network; trying again',
    });
    this.#apply.push((desired, { namespaces }, mayMake) => {
      if (!mayMake) return;
      networks.sync(
        planned(desired.networks, ({ name }) => name),
        () => false,
      );
      attachments.sync(
        planned(
          desired.attachments.map((one) => ({ ...one, namespace: namespaceOf(one, namespaces) })),
          attachmentName,
        ),
        () => false,
      );
    });
  }

  #addForwarding(host: HostFactsAccess, onForwarding: () => void): void {
    const words = {
      name: () => 'forwarding of IPv4',
      paths: () => [],
      fields: () => ({}),
      done: 'this host forwards IPv4 now',
      failed: 'this host does not forward IPv4; trying again',
    };
    const forwarding = this.#add(forwardingDriver(host), words, onForwarding);
    this.#apply.push((desired) =>
      forwarding.sync(
        planned(desired.forwarding.includes(4) ? ['on' as const] : [], () => HOST),
        () => false,
      ),
    );
  }

  #addNat({
    dataplane,
    namespaceConnections,
    connectionRecords,
    onDrift,
    log,
  }: NetworksReconcilerPorts): void {
    const connections =
      namespaceConnections && new NatConnections(namespaceConnections, log, connectionRecords);
    this.#connections = connections;
    const loader = rulesetLoader(dataplane);
    const context = {
      ...{
        loader: connections?.around(loader) ?? loader,
        records: new LoadRecords(undefined, () => {}),
        log,
      },
      onDrift: (one: NetworkNamespace) => onDrift?.(nameOf(one)),
    };
    const reports = rulesetReports(this.#nat, context);
    const nat = this.#reconciler.add(new RulesetDriver(this.#nat, context), {
      ...reports,
      ended: (job, ...how) => {
        reports.ended?.(job, ...how);
        const { namespace, rendered, rules } = job.desired;
        if (job.isReleased) connections?.loaded(namespace, new Set());
        else if (job.observed?.loaded.fingerprint === rendered.fingerprint)
          connections?.loaded(namespace, rules);
      },
    });
    this.#follow('nat', nat, {
      name: ({ namespace }) => `the ports of ${nameOf(namespace)} that lead elsewhere`,
      paths: ({ namespace }) => this.#pathsIn(namespace, ({ forwards }) => forwards),
    });
    this.#apply.push((desired, found) => {
      connections?.retain((id) => found.namespaces.has(id));
      if (found.isComplete) connectionRecords?.retain((id) => id === HOST || found.namespaces.has(id));
      const plan = this.#nat.plan(desired, found);
      nat.sync(this.#record.complete(plan, found, this.#nat.nothingIn), (id) => found.namespaces.has(id));
    });
  }

  #addRoutes(access: NamespaceRoutes): void {
    const routes = this.#add(
      routeDriver(access, (id) => this.#nat.isNew(id)),
      {
        name: ({ namespace }) => `the routes of ${nameOf(namespace)}`,
        paths: ({ namespace }) => this.#pathsIn(namespace, ({ routes }) => routes),
        fields: ({ namespace, lines }) => ({ container: nameOf(namespace), routes: lines }),
        done: 'routes made',
        failed: 'routes could not be made; trying again',
      },
    );
    this.#apply.push((desired, found) => {
      const plan = planRoutes(desired, found.namespaces);
      routes.sync(this.#record.complete(plan, found, noRoutesIn), (id) => found.namespaces.has(id));
    });
  }

  #add<Desired, Observed>(
    driver: Driver<Desired, Observed>,
    words: Words<Desired>,
    onDone = () => {},
  ): FeatureReconciler<Desired, Observed> {
    const { fields, done, failed } = words;
    const states = this.#reconciler.add(driver, {
      ended: ({ desired }, outcome) => {
        if (outcome !== 'applied') return;
        this.#log.info(fields(desired), done);
        onDone();
      },
      failed: ({ desired }, { message }) => this.#log.error({ ...fields(desired), error: message }, failed),
    });
    this.#follow(driver.feature, states, words);
    return states;
  }

  #follow<Desired>(
    feature: string,
    reconciler: Pick<FeatureReconciler<Desired, unknown>, 'states'>,
    { name, paths }: Pick<Words<Desired>, 'name' | 'paths'>,
  ): void {
    this.#steps.push(() =>
      [...reconciler.states()].map(({ desired, condition, lastError, retryAt }) => ({
        ...{ feature, name: name(desired), paths: paths(desired), condition, retryAt },
        reason: lastError?.message,
      })),
    );
  }

  #pathsIn(
    { id }: NetworkNamespace,
    choose: (rules: InnerRules) => readonly { readonly origin: { readonly path: string } }[],
  ): readonly string[] {
    const rules = this.#inner.get(id);
    return rules === undefined ? [] : [...new Set(choose(rules).map(({ origin }) => origin.path))];
  }
}

const namespaceOf = (
  { containerId }: DesiredAttachment,
  namespaces: Namespaces,
): NetworkNamespace | undefined =>
  [...namespaces.values()].find(({ inside }) => inside.some(({ id }) => id === containerId));

const problemOf = (text: string, reason: string): Problem => ({
  ...{ severity: 'error', text, reason: `${text}: ${reason}` },
});

const planned = <Desired>(all: readonly Desired[], nameOfOne: (desired: Desired) => string) =>
  new Map(all.map((desired) => [nameOfOne(desired), { kind: 'apply', desired } as const]));
