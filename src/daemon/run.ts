/**
 * Starts the controller: opens its parts in order, and connects them.
 */
import type { Backoff } from '../common/backoff.ts';
import type { Logger } from '../common/logger.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Config } from '../config/config.ts';
import type { Terminal } from '../config/terminal.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import { loadHostTemplate } from '../features/host/render.ts';
import { loadIngressTemplate } from '../features/ingress/render.ts';
import { FileGate } from '../gate/gate.ts';
import { WatchedFile } from '../sources/files/watched-file.ts';
import { serveWatchers } from './api/listen.ts';
import { serveApi } from './api/server.ts';
import { Controller } from './controller.ts';
import { controlsOf } from './controls.ts';
import { removeInnerLeftovers } from './inner-leftovers.ts';
import { openNames, openNamesFile } from './open-names.ts';
import { type Closable, type CloseLater, openPersisted } from './persisted.ts';
import { openDenied, openDeniedIngress, openLastHostRules } from './state/open.ts';
import { Telemetry } from './telemetry.ts';
import { TemplateWatch } from './template-watch.ts';
import { Watch } from './watch/watch.ts';
import { type EngineAccess, openConsul, openEngine, openServices, openTemplate } from './wiring.ts';

/** Milliseconds for which the first load of a namespace waits for Consul's first answers. */
const GRACE = 1000;

/** Limited, so that loads succeed within seconds after the end of a failure. */
const LOAD_RETRY: Backoff = { first: 500, most: 5_000 };

/** Milliseconds between two searches for leftover helpers. */
const SWEEP = 120_000;

/** Each resource is adopted by `resources` as soon as it is open, so that it is closed even if the next one fails. */
export async function start(
  config: Config,
  terminal: Terminal,
  logger: Logger,
  resources: AsyncDisposableStack,
): Promise<void> {
  const watch = config.watch && new Watch(config.watch, logger);
  const log = watch?.log ?? logger;
  const closeLater: CloseLater = (one) => resources.adopt(one, (it) => it?.close());
  const template = openTemplate(config);
  const engine = closeLater(await openEngine(config, terminal, log));
  const persisted = await openPersisted(config, log, closeLater);
  const consul = closeLater(openConsul(config));
  const leftovers = await engine.removeLeftovers();
  if (leftovers > 0) log.warn({ leftovers }, 'removed helpers of an earlier run');
  closeLater(sweeping(engine));
  const templates = closeLater(new TemplateWatch(config.template, engine.dataplane, log));
  const [engineResolvers] = await Promise.all([engine.warmUp(), templates.testLoad(template)]);
  const gate = closeLater(openGate(config, engineResolvers, log));
  const denied = closeLater(openDenied(config, log));
  const deniedIngress = closeLater(openDeniedIngress(config, log));
  const telemetry = new Telemetry(config, engine, log, {
    previous: await denied?.load(),
    save: (all) => denied?.save(all),
    ingress: { previous: await deniedIngress?.load(), save: (all) => deniedIngress?.save(all) },
  });
  const namesFile = closeLater(openNamesFile(config, log));
  const names = await openNames(config, namesFile, log);
  const hostRestored = openLastHostRules(config, telemetry.hostDataplane, log);
  closeLater({ close: () => hostRestored });
  const controller = closeLater(
    new Controller(controllerOptions(config, template), {
      ...engine,
      ...persisted,
      dataplane: telemetry.dataplane,
      hostDataplane: telemetry.hostDataplane,
      onDrift: telemetry.onDrift,
      deniedReports: telemetry.deniedReports,
      onReconciled: () => {
        telemetry.onReconciled();
        watch?.onReconciled();
      },
      onSynced: watch?.onSynced,
      rules: consul,
      gate,
      names,
      ingressGate: gate,
      log,
      hostRestored,
      watchFile: (path, onChange) => new WatchedFile(path, { steadyNow }, onChange),
    }),
  );
  const innerCleared = removeInnerLeftovers(config, engine, log);
  closeLater({ close: () => innerCleared });
  telemetry.attach(controller);
  closeLater(telemetry);
  const services = closeLater(openServices(config, consul));
  const controls = controlsOf(controller, telemetry, services, config);
  closeLater(await serveApi(config.socket, controls));
  closeLater(watch);
  await watch?.open({ controller, telemetry, services, controls, config, dataplane: engine.dataplane });
  if (config.listen) closeLater(await serveWatchers(config.listen, controls, config.allowHosts));
  templates.start((changed) => controller.useTemplate(changed));
}

const openGate = ({ runDir, mode }: Config, engineResolvers: readonly string[] | undefined, log: Logger) =>
  runDir === undefined ? undefined : new FileGate(runDir, { mode, engineResolvers }, log);

/** A helper that could not be removed is found again later. */
function sweeping(engine: EngineAccess): Closable {
  const sweep = () => engine.removeLeftovers().catch(() => {});
  const timer = setInterval(sweep, SWEEP);
  return { close: () => clearInterval(timer) };
}

const controllerOptions = (config: Config, template: EgressTemplate) => ({
  template,
  protectedHosts: config.protectedHosts,
  mode: config.mode,
  node: config.node,
  ingressTemplate: loadIngressTemplate(),
  host: config.host && {
    ...config.host,
    node: config.node,
    template: loadHostTemplate(config.host.template),
  },
  networks: config.networks,
  servicesOf: config.host?.guard === undefined || config.host.services !== 'consul' ? undefined : config.node,
  prepare: config.prepare,
  prepareIngress: config.prepareIngress,
  concurrency: config.concurrency,
  driftInterval: config.driftInterval,
  maxAge: config.maxAge,
  grace: GRACE,
  retry: LOAD_RETRY,
  random: Math.random,
  now: steadyNow,
});
