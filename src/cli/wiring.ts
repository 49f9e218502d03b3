/**
 * The composition root: from a configuration to the adapters that it asks for.
 */
import { listServices } from '../adapters/consul/directory.ts';
import { ConsulRuleSource } from '../adapters/consul/rule-source.ts';
import { AutoRunner } from '../adapters/dataplane/auto.ts';
import { createDataplane } from '../adapters/dataplane/dataplane.ts';
import { DryRunDataplane } from '../adapters/dataplane/dry-run.ts';
import { HelperRunner } from '../adapters/dataplane/helper.ts';
import { NsenterRunner } from '../adapters/dataplane/nsenter.ts';
import type { NamespaceRunner } from '../adapters/dataplane/runner.ts';
import { engineOptionsFrom } from '../adapters/docker/address.ts';
import { connect } from '../adapters/docker/connect.ts';
import type { LacksRawSockets } from '../adapters/docker/container-reader.ts';
import { DockerContainerSource } from '../adapters/docker/containers.ts';
import type { Engine as DockerEngine } from '../adapters/docker/engine.ts';
import { helperImage } from '../adapters/docker/image.ts';
import { GateRecords } from '../adapters/gate/records.ts';
import { createLogger } from '../adapters/log/pino.ts';
import type { Config } from '../config/config.ts';
import type { ContainerSource, Dataplane, Logger, NamespaceRef, RuleSource } from '../controller/ports.ts';
import { messageOf } from '../domain/errors.ts';
import { loadTemplate } from '../rendering/catalog.ts';
import { isXtables } from '../rendering/facts.ts';
import type { Template } from '../rendering/render.ts';
import { version } from './assets.ts';
import type { ServiceReader } from './insight/gather.ts';
import { type Terminal, wantsColour } from './output.ts';

export interface Engine {
  readonly containers: ContainerSource;
  readonly dataplane: Dataplane;
  /** How a load would come into this namespace now: helper, nsenter, or dry-run. */
  loaderFor(namespace: NamespaceRef): Promise<string>;
  /**
   * The Engine's own resolvers, asked for ahead, as the first container to start would have to wait for
   * them; undefined where they can't be told yet. Never fails.
   */
  warmUp(): Promise<readonly string[] | undefined>;
  /** Removes helpers that a crash left behind; resolves with their number. */
  removeLeftovers(): Promise<number>;
  close(): Promise<void>;
}

export const openTemplate = (config: Config): Template => loadTemplate(config.template);

export const openConsul = ({ consul }: Config): RuleSource => new ConsulRuleSource(consul);

/** The services of Consul's catalog, for questions. */
export const openServices = ({ consul }: Config, source: RuleSource): ServiceReader => ({
  readService: (ref) => source.readService(ref),
  listServices: () => listServices(consul),
});

/** The logger of the controller, as configured. */
export const openLogger = ({ log }: Config, terminal: Terminal): Logger =>
  createLogger({
    ...log,
    terminal: terminal.stderr.isTTY === true,
    colour: wantsColour(terminal.stderr, terminal.environment),
  });

/** The logger of commands that do one thing and end: only what is wrong. */
export const toolLogger = ({ stderr, environment }: Terminal): Logger =>
  createLogger({
    level: 'warn',
    format: 'auto',
    terminal: stderr.isTTY === true,
    colour: wantsColour(stderr, environment),
  });

/** The Engine's own answers. Connects with the first question. */
export const openDocker = (config: Config, terminal: Terminal): DockerEngine =>
  connect({ ...engineOptionsFrom(terminal.environment), host: config.docker.host });

/** Connects with the Engine; throws an `EngineError` where none answers. */
export async function openEngine(config: Config, terminal: Terminal, log: Logger): Promise<Engine> {
  const engine = openDocker(config, terminal);
  await engine.running();
  const { runner, image, removeLeftovers } = openRunner(config, engine);
  const containers = new DockerContainerSource(engine, { lacksRawSockets: openRecords(config), image });
  return {
    containers,
    warmUp: () =>
      containers.warmUp().catch((error: unknown) => {
        log.debug({ error: messageOf(error) }, 'nothing to warm up with');
        return undefined;
      }),
    dataplane: config.dryRun ? dryRun(log) : createDataplane(runner),
    loaderFor: async (namespace) => (config.dryRun ? 'dry-run' : runner.wayTo(namespace)),
    removeLeftovers,
    close: async () => {
      await runner.close();
      engine.close();
    },
  };
}

/** What the gate left on record of a container's raw sockets. */
function openRecords({ runDir }: Config): LacksRawSockets | undefined {
  if (runDir === undefined) return undefined;
  const records = new GateRecords(runDir);
  return async (container) => (await records.read(container))?.hasRawSockets === false;
}

function openRunner(config: Config, engine: DockerEngine) {
  const { loader, docker } = config;
  const image = helperImage(engine, { named: docker.image, version: version() });
  const helper = new HelperRunner(engine, image, { xtables: isXtables(openTemplate(config).source) });
  const removeLeftovers = () => helper.removeLeftovers();
  return { runner: chooseRunner(loader, helper), image, removeLeftovers };
}

function chooseRunner(loader: Config['loader'], helper: HelperRunner): NamespaceRunner {
  if (loader === 'helper') return helper;
  const nsenter = new NsenterRunner();
  return loader === 'nsenter' ? nsenter : new AutoRunner(nsenter, helper);
}

const dryRun = (log: Logger): Dataplane =>
  new DryRunDataplane(({ namespace, text }) =>
    log.info({ container: namespace.name, text }, 'would load this text'),
  );
