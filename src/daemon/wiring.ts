/**
 * The composition root: creates the parts of the program from the configuration.
 */

import { version } from '../common/assets.ts';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import { type Terminal, wantsColour } from '../config/terminal.ts';
import { createDataplane, createHostDataplane } from '../dataplane/create-dataplane.ts';
import type { Dataplane, HostDataplane, NamespaceRef } from '../dataplane/dataplane.ts';
import { DryRunDataplane } from '../dataplane/dry-run.ts';
import { readEngineRules } from '../dataplane/engine-rules.ts';
import { listensHere } from '../dataplane/engine-socket.ts';
import { HelperRunner } from '../dataplane/helper.ts';
import { HostRunner } from '../dataplane/host.ts';
import { createHostFacts, type HostFactsAccess } from '../dataplane/host-facts.ts';
import { createNamespaceConnections, type NamespaceConnections } from '../dataplane/namespace-connections.ts';
import { createNamespaceRoutes, type NamespaceRoutes } from '../dataplane/namespace-routes.ts';
import { NsenterRunner } from '../dataplane/nsenter.ts';
import { createOtherFirewalls, type OtherFirewalls } from '../dataplane/other-firewalls.ts';
import type { NamespaceRunner } from '../dataplane/runner.ts';
import { AutoRunner } from '../dataplane/select-loader.ts';
import type { ServiceReader } from '../diagnostics/read-services.ts';
import { isXtables } from '../features/egress/facts.ts';
import { loadTemplate } from '../features/egress/included-templates.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import { GateRecords } from '../gate/records.ts';
import type { EngineRules } from '../inventory/engine-rules.ts';
import type { ContainerSource, NetworkMaker, RuleSource } from '../inventory/sources.ts';
import { CatalogReader } from '../sources/consul/catalog-reader.ts';
import { ConsulRuleSource } from '../sources/consul/rule-source.ts';
import { engineOptionsFrom } from '../sources/docker/address.ts';
import { connect } from '../sources/docker/connect.ts';
import type { LacksRawSockets } from '../sources/docker/container-reader.ts';
import { DockerContainerSource } from '../sources/docker/containers.ts';
import type { Engine as DockerEngine } from '../sources/docker/engine.ts';
import { helperImage } from '../sources/docker/image.ts';
import { EngineNetworkMaker } from '../sources/docker/network-maker.ts';
import { createLogger } from './log.ts';

export interface EngineAccess {
  readonly containers: ContainerSource;
  readonly dataplane: Dataplane;
  readonly hostDataplane: HostDataplane;
  /** The Engine's own rules on its host; also in a dry run. */
  readEngineRules(): Promise<EngineRules>;
  /** Undefined in a dry run. */
  readonly otherFirewalls: OtherFirewalls | undefined;
  /** Undefined in a dry run. */
  readonly networkMaker: NetworkMaker | undefined;
  /** In a dry run nothing is changed. */
  readonly hostFacts: HostFactsAccess;
  /** Undefined in a dry run. */
  readonly namespaceRoutes: NamespaceRoutes | undefined;
  readonly namespaceConnections: NamespaceConnections | undefined;
  /** The loader for this namespace: helper, nsenter, or dry-run. */
  loaderOf(namespace: NamespaceRef): string;
  /** The same for the host. */
  hostLoader(): string;
  /**
   * Reads the Engine's own resolvers in advance, because the first container would have to wait for them; undefined if
   * they cannot be read. Never fails.
   */
  warmUp(): Promise<readonly string[] | undefined>;
  /** Removes helpers that a crash left behind; resolves with their number. */
  removeLeftovers(): Promise<number>;
  close(): Promise<void>;
}

export const openTemplate = (config: Config): EgressTemplate => loadTemplate(config.template);

export const openConsul = ({ consul }: Config): RuleSource => new ConsulRuleSource(consul);

/** Reads for questions what is not watched. */
export interface Services extends ServiceReader {
  readIngressKeys(): Promise<ReadonlyMap<string, string>>;
  close(): void;
}

export function openServices({ consul }: Config, source: RuleSource): Services {
  const index = new CatalogReader(consul);
  return {
    readIngressKeys: () => source.readRules('ingress'),
    readService: (ref) => source.readService(ref),
    readCatalog: () => index.read(),
    close: () => index.close(),
  };
}

/** The logger of the controller, as configured. */
export const openLogger = ({ log }: Config, terminal: Terminal): Logger =>
  createLogger({
    ...log,
    terminal: terminal.stderr.isTTY === true,
    colour: wantsColour(terminal.stderr, terminal.environment),
  });

/** The logger of commands other than the controller: only warnings and errors. */
export const toolLogger = ({ stderr, environment }: Terminal): Logger =>
  createLogger({
    level: 'warn',
    format: 'auto',
    terminal: stderr.isTTY === true,
    colour: wantsColour(stderr, environment),
  });

/** The Engine's client. Connects at the first request. */
export const openDocker = (config: Config, terminal: Terminal): DockerEngine =>
  connect({ ...engineOptionsFrom(terminal.environment), host: config.docker.host });

/** Connects to the Engine; throws an `EngineError` if it does not answer. */
export async function openEngine(config: Config, terminal: Terminal, log: Logger): Promise<EngineAccess> {
  const engine = openDocker(config, terminal);
  await engine.running();
  const { runner, helper, hostRunner, image } = openRunner(config, engine);
  const containers = new DockerContainerSource(engine, {
    ...{ lacksRawSockets: openRecords(config), image },
    withServices: config.host?.guard !== undefined && config.host.services !== 'consul',
  });
  return {
    containers,
    warmUp: () =>
      containers.warmUp().catch((error: unknown) => {
        log.debug({ error: messageOf(error) }, "the Engine's DNS resolvers could not be read in advance");
        return undefined;
      }),
    dataplane: config.dryRun ? dryRun(log) : createDataplane(runner),
    hostDataplane: config.dryRun ? dryRun(log) : createHostDataplane(hostRunner),
    readEngineRules: () => readEngineRules(hostRunner),
    otherFirewalls: config.dryRun ? undefined : createOtherFirewalls(hostRunner),
    networkMaker: config.dryRun ? undefined : new EngineNetworkMaker(engine),
    hostFacts: { ...createHostFacts(hostRunner), ...(config.dryRun && { forward: async () => {} }) },
    namespaceRoutes: config.dryRun ? undefined : createNamespaceRoutes(runner),
    namespaceConnections: config.dryRun ? undefined : createNamespaceConnections(runner),
    loaderOf: (namespace) => (config.dryRun ? 'dry-run' : runner.loaderOf(namespace)),
    hostLoader: () => (config.dryRun ? 'dry-run' : hostRunner.loader),
    removeLeftovers: () => helper.removeLeftovers(),
    close: async () => {
      await runner.close();
      // The host's rules may need helpers where containers need none.
      await helper.close();
      engine.close();
    },
  };
}

/** Reads from the gate's records whether a container has raw sockets. */
function openRecords({ runDir }: Config): LacksRawSockets | undefined {
  if (runDir === undefined) return undefined;
  const records = new GateRecords(runDir);
  return async (container) => (await records.read(container))?.hasRawSockets === false;
}

function openRunner(config: Config, engine: DockerEngine) {
  const { loader, docker } = config;
  const image = helperImage(engine, { named: docker.image, version: version() });
  const helper = new HelperRunner(engine, image, { xtables: isXtables(openTemplate(config).source) });
  const hostRunner = new HostRunner(helper, loader, () => listensHere(engine.address));
  return { runner: chooseRunner(loader, helper), helper, hostRunner, image };
}

function chooseRunner(loader: Config['loader'], helper: HelperRunner): NamespaceRunner {
  if (loader === 'helper') return helper;
  const nsenter = new NsenterRunner();
  return loader === 'nsenter' ? nsenter : new AutoRunner(nsenter, helper);
}

const dryRun = (log: Logger): Dataplane & HostDataplane =>
  new DryRunDataplane(({ name }, text) => log.info({ container: name, text }, 'would load this text'));
