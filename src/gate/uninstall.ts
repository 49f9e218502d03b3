/**
 * `egresstrator gate uninstall`: removes the gate from the Engine and the host. daemon.json becomes identical to the
 * previous file if nobody else has changed it since.
 *
 * A container keeps its runtime: one that was created with the gate cannot start without it, and a running one is
 * ended through the gate's files.
 */
import { rm } from 'node:fs/promises';
import { UserError } from '../common/errors.ts';
import {
  parseDaemonJson,
  readText,
  restoreDaemonJson,
  withoutGate,
  withoutRuntimes,
  writeDaemonJson,
} from './daemon-json.ts';
import { reload } from './dockerd.ts';
import { engineFacts, type GateUser, gateUsers } from './engine-answers.ts';
import { requireHost } from './host.ts';
import { configPath, inspectEngine, type RunningEngine, waitFor } from './install.ts';
import { type GateSettings, onHost, RUNTIME } from './layout.ts';
import { recordFolder } from './names.ts';
import {
  type InstallState,
  readInstalled,
  readInstallState,
  removeFiles,
  writeInstallState,
} from './programs.ts';

/** Returns what was changed, one line each; empty if there was nothing to do. Throws a `UserError`. */
export async function uninstallGate(settings: GateSettings, force: boolean): Promise<readonly string[]> {
  requireHost(settings);
  const engine = await inspectEngine(settings);
  const users = engine.facts === undefined ? [] : await gateUsers(settings.socketPath);
  if (users.length > 0 && !force) throw new UserError(stillUsed(users));
  const installed = await readInstallState(settings);
  const config = settings.config ?? installed?.config ?? configPath(settings, engine.dockerd);
  const change = await plan(settings, config, installed);
  const changes = engine.facts?.gatePath === undefined ? [] : [await unregister(settings, engine, change)];
  if (changes.length > 0 || change.clean !== change.text) changes.push(await clean(settings, engine, change));
  return [...changes, ...(await cleanFiles(settings, users))];
}

const stillUsed = (users: readonly GateUser[]): string =>
  `these containers were made with the runtime "${RUNTIME}" and could not start again: ${users
    .map(({ name }) => name)
    .join(', ')}; create them again with another runtime, or use --force`;

interface Change {
  readonly config: string;
  readonly installed: InstallState | undefined;
  /** The present text; undefined: no file. */
  readonly text: string | undefined;
  /** The text without the gate. */
  readonly clean: string | undefined;
  /** True if nobody else has changed it since the installation. */
  readonly untouched: boolean;
}

async function plan(
  settings: GateSettings,
  config: string,
  installed: InstallState | undefined,
): Promise<Change> {
  const text = await readText(onHost(settings, config));
  parseDaemonJson(text ?? '', config);
  const untouched = installed?.config === config && installed.after === text;
  const previous = installed?.previousDefault ?? undefined;
  const rest = text === undefined ? undefined : withoutGate(text, previous);
  return { config, installed, text, untouched, clean: untouched ? (installed.before ?? undefined) : rest };
}

/**
 * The Engine keeps its runtimes and its default if daemon.json no longer has these settings (tried on 20.10 and 28.5).
 * So the file has Docker's defaults for a moment.
 */
async function unregister(
  settings: GateSettings,
  { dockerd }: RunningEngine,
  change: Change,
): Promise<string> {
  if (dockerd === undefined) throw new UserError('the Engine ended meanwhile; run this again');
  const { config, installed } = change;
  const text = withoutRuntimes(change.clean);
  if (installed !== undefined && change.untouched)
    await writeInstallState(settings, { ...installed, after: text });
  await writeDaemonJson(onHost(settings, config), text);
  reload(dockerd);
  const isForgotten = async () => {
    const facts = await engineFacts(settings.socketPath);
    return facts?.gatePath === undefined && facts?.defaultRuntime !== RUNTIME;
  };
  if (await waitFor(settings.reloadTimeout, isForgotten)) {
    return `dockerd (process ${dockerd.pid}) reloaded its configuration: the Engine no longer has the gate`;
  }
  throw new UserError(`dockerd rejected ${config} and still has the gate; see dockerd's log`);
}

async function clean(settings: GateSettings, { dockerd }: RunningEngine, change: Change): Promise<string> {
  const { config, untouched } = change;
  await restoreDaemonJson(onHost(settings, config), change.clean);
  if (dockerd !== undefined) reload(dockerd);
  return untouched ? `${config} is as before the gate` : `removed the runtime "${RUNTIME}" from ${config}`;
}

/** Running containers are ended through the gate's files, so the files stay until then. */
async function cleanFiles(settings: GateSettings, users: readonly GateUser[]): Promise<readonly string[]> {
  const running = users.filter((user) => user.running).map(({ name }) => name);
  if (running.length > 0) {
    return [
      `left ${settings.libDir} because running containers need it to end: ${running.join(', ')}; run this again later`,
    ];
  }
  if ((await readInstalled(settings, 'runtime')) === undefined) return [];
  await removeFiles(settings);
  await rm(onHost(settings, recordFolder(settings.runDir)), { recursive: true, force: true });
  return [`removed ${settings.libDir}`];
}
