/**
 * Starts the controller: opens its parts in order, and connects them.
 */
import { release } from 'node:os';
import { version } from '../common/assets.ts';
import type { Backoff } from '../common/backoff.ts';
import type { Logger } from '../common/logger.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Config } from '../config/config.ts';
import type { Terminal } from '../config/terminal.ts';
import type { EgressTemplate } from '../features/egress/template.ts';
import { FileGate } from '../gate/gate.ts';
import { serveWatchers } from './api/listen.ts';
import { serveApi } from './api/server.ts';
import { Controller } from './controller.ts';
import { controlsOf } from './controls.ts';
import { DeniedFile } from './state/denied-file.ts';
import { LoadsFile } from './state/loads-file.ts';
import { OverridesFile } from './state/overrides-file.ts';
import { StateFile } from './state/state-file.ts';
import { Telemetry } from './telemetry.ts';
import { TemplateWatch } from './template-watch.ts';
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
  log: Logger,
  resources: AsyncDisposableStack,
): Promise<void> {
  const closeLater = <T extends Closable | undefined>(one: T): T => resources.adopt(one, (it) => it?.close());
  const template = openTemplate(config);
  const engine = closeLater(await openEngine(config, terminal, log));
  const state = closeLater(openState(config, log));
  const loads = closeLater(openLoads(config, log));
  const overrides = closeLater(openOverrides(config, log));
  const consul = closeLater(openConsul(config));
  const leftovers = await engine.removeLeftovers();
  if (leftovers > 0) log.warn({ leftovers }, 'removed helpers of an earlier run');
  closeLater(sweeping(engine));
  const templates = closeLater(new TemplateWatch(config.template, engine.dataplane, log));
  const [engineResolvers] = await Promise.all([engine.warmUp(), templates.testLoad(template)]);
  const gate = closeLater(openGate(config, engineResolvers, log));
  const denied = closeLater(openDenied(config, log));
  const telemetry = new Telemetry(config, engine, log, {
    previous: await denied?.load(),
    save: (all) => denied?.save(all),
  });
  const controller = closeLater(
    new Controller(controllerOptions(config, template), {
      ...engine,
      dataplane: telemetry.dataplane,
      onDrift: telemetry.onDrift,
      deniedReports: telemetry.deniedReports,
      onReconciled: telemetry.onReconciled,
      rules: consul,
      gate,
      log,
      previousState: await state?.load(),
      persistState: (known) => state?.save(known),
      previousLoads: await loads?.load(),
      persistLoads: (all) => loads?.save(all),
      previousOverrides: await overrides?.load(),
      persistOverrides: (all) => overrides?.save(all),
    }),
  );
  telemetry.attach(controller);
  closeLater(telemetry);
  const services = closeLater(openServices(config, consul));
  const controls = controlsOf(controller, telemetry, services, config);
  closeLater(await serveApi(config.socket, controls));
  if (config.listen) closeLater(await serveWatchers(config.listen, controls, config.allowHosts));
  templates.start((changed) => controller.useTemplate(changed));
}

/** Ages are written often enough that a crash costs at most a tenth of the limit. */
const openState = ({ stateDir, maxAge }: Config, log: Logger) =>
  stateDir === undefined ? undefined : new StateFile(stateDir, log, maxAge && { refresh: maxAge.limit / 10 });

/** A dry run loads nothing, so it records nothing. */
const openLoads = ({ stateDir, dryRun, loader, docker }: Config, log: Logger) => {
  const reader = [version(), loader, docker.image ?? '', release()].join(' ');
  return stateDir === undefined || dryRun ? undefined : new LoadsFile(stateDir, reader, log);
};

const openDenied = ({ stateDir, dryRun }: Config, log: Logger) =>
  stateDir === undefined || dryRun ? undefined : new DeniedFile(stateDir, log);

const openOverrides = ({ stateDir, dryRun }: Config, log: Logger) =>
  stateDir === undefined || dryRun ? undefined : new OverridesFile(stateDir, log);

const openGate = ({ runDir, mode }: Config, engineResolvers: readonly string[] | undefined, log: Logger) =>
  runDir === undefined ? undefined : new FileGate(runDir, { mode, engineResolvers }, log);

/** A helper that could not be removed is found again later. */
function sweeping(engine: EngineAccess): Closable {
  const sweep = () => engine.removeLeftovers().catch(() => {});
  const timer = setInterval(sweep, SWEEP);
  return { close: () => clearInterval(timer) };
}

interface Closable {
  close(): Promise<void> | void;
}

const controllerOptions = (config: Config, template: EgressTemplate) => ({
  template,
  protectedHosts: config.protectedHosts,
  mode: config.mode,
  prepare: config.prepare,
  concurrency: config.concurrency,
  driftInterval: config.driftInterval,
  maxAge: config.maxAge,
  grace: GRACE,
  retry: LOAD_RETRY,
  random: Math.random,
  now: steadyNow,
});
