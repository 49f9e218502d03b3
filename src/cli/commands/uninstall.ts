/**
 * `egresstrator uninstall`: removes egresstrator from this host: the gate, the rules in the containers' namespaces,
 * the folders and the images; with --keys also its data in Consul. Lists them first, and asks.
 */
import { basename, dirname } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { STATE_FILES } from '../../daemon/state/file-names.ts';
import { hasLastNetworks } from '../../daemon/state/networks-file.ts';
import { type EngineAccess, openDocker, openEngine, toolLogger } from '../../daemon/wiring.ts';
import { plain } from '../../format/style.ts';
import { count } from '../../format/values.ts';
import { type GateSettings, onHost } from '../../gate/layout.ts';
import { preparedFolder, recordFolder } from '../../gate/names.ts';
import { gateStatus } from '../../gate/status.ts';
import { isListening } from '../../http/unix-socket.ts';
import type { Engine as DockerEngine } from '../../sources/docker/engine.ts';
import { confirm } from '../confirm.ts';
import { styleFor } from '../format/terminal-style.ts';
import { formatPlan, formatResults } from '../format/uninstall.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';
import { findCgroup } from '../uninstall/cgroup-step.ts';
import { consulSearches } from '../uninstall/consul-steps.ts';
import { findHelpers, findImages, runningControllers } from '../uninstall/engine-steps.ts';
import { type Folder, findFolder } from '../uninstall/folder-step.ts';
import { findGate, isThere } from '../uninstall/gate-step.ts';
import { findHostRules } from '../uninstall/host-step.ts';
import { findRoutes } from '../uninstall/routes-step.ts';
import { findRules } from '../uninstall/rules-step.ts';
import { planned, runSteps, type Search, searchAll } from '../uninstall/step.ts';
import { settingsOf } from './gate.ts';

interface UninstallContext {
  readonly flags: Flags;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly docker: DockerEngine;
  /** Fails if no Engine answers. */
  readonly engine: () => Promise<EngineAccess>;
  /** Resolves when the helpers of this command are gone. Later steps do not need them. */
  readonly closeEngine: () => Promise<void>;
}

export async function uninstall(flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const docker = openDocker(config, terminal);
  let opened: Promise<EngineAccess> | undefined;
  const engine = () => {
    opened ??= openEngine(config, terminal, toolLogger(terminal));
    return opened;
  };
  const closeEngine = async () => {
    await opened?.then((one) => one.close()).catch(() => undefined);
  };
  try {
    await uninstallWith({ flags, config, terminal, docker, engine, closeEngine });
  } finally {
    await closeEngine();
    docker.close();
  }
}

async function uninstallWith(context: UninstallContext): Promise<void> {
  const { flags, terminal } = context;
  const json = flags.json === true;
  const output = createOutput(terminal, json);
  const style = json ? plain : styleFor(terminal);
  await requireNoController(context);
  const hasNetworks = await hasNetworksFile(context);
  const plan = await withProgress('Looking for parts of egresstrator', terminal, () =>
    searchAll(searchesFor(context)),
  );
  const steps = planned(plan);
  const hasSteps = plan.steps.length > 0;
  const isConfirmed = flags.yes === true || !hasSteps;
  if (!json || !isConfirmed) {
    const withKeys = flags.keys === true;
    output.result({ steps }, (seen) => formatPlan(seen.steps, { withKeys, hasNetworks, style }));
  }
  if (hasSteps) await confirm({ yes: flags.yes, json, otherwise: 'nothing was removed' }, terminal);
  const results = await withProgress('Removing it', terminal, () => runSteps(plan));
  if (hasSteps || json) output.result({ steps: results }, (seen) => formatResults(seen.steps, style));
  const left = results.filter(({ state }) => state === 'left').length;
  if (left > 0)
    throw new UserError(
      `${count(left, 'part')} ${left === 1 ? 'is' : 'are'} left; fix the cause, and run this again`,
    );
}

const rootOf = ({ root }: Flags): string => (typeof root === 'string' ? root : '/');

const hasNetworksFile = async ({ flags, config: { stateDir } }: UninstallContext): Promise<boolean> =>
  stateDir !== undefined && hasLastNetworks(onHost({ root: rootOf(flags) }, stateDir));

/** Throws a `UserError` if a controller runs: it would load the rules again. */
async function requireNoController({ config, docker }: UninstallContext): Promise<void> {
  const reject = (who: string) => {
    throw new UserError(
      `${who}, and would load the rules again: stop it first, for example with \`systemctl disable --now egresstrator\` or \`docker compose rm --stop egresstrator\``,
    );
  };
  if (await isListening(config.socket)) reject(`a controller answers at ${config.socket}`);
  const names = await runningControllers(docker).catch(() => []);
  if (names.length > 0) reject(`a controller runs in the container ${names.join(', ')}`);
}

function searchesFor({
  flags,
  config,
  terminal,
  docker,
  engine,
  closeEngine,
}: UninstallContext): readonly Search[] {
  const gate = () => settingsOf(flags, terminal);
  const root = rootOf(flags);
  const stateDir = config.stateDir && onHost({ root }, config.stateDir);
  return [
    { part: 'gate', search: async () => findGate(gate(), flags.force === true) },
    // The next searches start helpers themselves.
    { part: 'helpers', search: () => findHelpers(docker) },
    { part: 'rules', search: async () => findRules(await engine()) },
    { part: 'rules', search: () => findHostRules(engine, stateDir) },
    { part: 'routes', search: () => findRoutes(engine, stateDir) },
    { part: 'cgroup', search: () => findCgroup(root, stateDir) },
    ...foldersOf(config, root, gate).map((folder) => ({
      ...{ part: folder.part, search: () => findFolder(folder) },
    })),
    { part: 'image', search: () => findImages(docker, config.docker.image, closeEngine) },
    ...(flags.keys === true ? consulSearches(config) : []),
  ];
}

/** The gate's prepared rules and records are in the run folder, so it stays as long as the gate. */
function foldersOf(
  { stateDir, runDir, socket }: Config,
  root: string,
  gate: () => GateSettings,
): readonly Folder[] {
  const keptFor = async () =>
    isThere(await gateStatus(gate())) ? 'the gate needs it while it is installed' : undefined;
  const folder = (path: string) => ({ path, seenAt: onHost({ root }, path) });
  const inRun = [preparedFolder(''), recordFolder(''), ...(dirname(socket) === runDir ? [socket] : [])];
  return [
    ...(stateDir === undefined
      ? []
      : [{ ...folder(stateDir), part: 'state', ours: Object.values(STATE_FILES) } as const]),
    ...(runDir === undefined
      ? []
      : [{ ...folder(runDir), part: 'run', ours: inRun.map((path) => basename(path)), keptFor } as const]),
  ];
}
