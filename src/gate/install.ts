/**
 * `egresstrator gate install`: installs the gate on the host and registers it with the Engine.
 *
 * All checks come before the change of daemon.json. If the Engine rejects the new file, the old one is restored.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../common/errors.ts';
import {
  backupOf,
  type DaemonJson,
  parseDaemonJson,
  readText,
  restoreDaemonJson,
  withGate,
  withoutGate,
  writeDaemonJson,
} from './daemon-json.ts';
import { argument, type Dockerd, findDockerd, reload, sharesRoot } from './dockerd.ts';
import { type EngineFacts, engineFacts } from './engine-answers.ts';
import { FROM_CONTAINER, findProgram, requireHost, requireTools, testLockdown } from './host.ts';
import { type GateSettings, onHost, RUNTIME, runtimePath } from './layout.ts';
import {
  confFile,
  outdated,
  programFiles,
  readInstallState,
  removeFiles,
  writeFiles,
  writeInstallState,
} from './programs.ts';

/** Both are undefined where no Engine answers. */
export interface RunningEngine {
  readonly dockerd: Dockerd | undefined;
  readonly facts: EngineFacts | undefined;
}

/** Returns what was changed, one line each; empty if there was nothing to do. Throws a `UserError`. */
export async function installGate(settings: GateSettings, asDefault: boolean): Promise<readonly string[]> {
  requireHost(settings);
  requireTools(settings);
  const engine = await inspectEngine(settings);
  const config = configPath(settings, engine.dockerd);
  const text = await readText(onHost(settings, config));
  const content = parseDaemonJson(text ?? '', config);
  const runtime = await realRuntime(settings, content, engine.dockerd, asDefault);
  const changes = await installFiles(settings, runtime, engine.facts);
  const after = withGate(text, runtimePath(settings), asDefault);
  if (after !== text) changes.push(...(await changeConfig(settings, { config, text, content, after })));
  if (await isKnown(settings, asDefault)) return changes;
  return [...changes, await reloadEngine(settings, engine, { config, text }, asDefault)];
}

/** Throws a `UserError` if the Engine answers but cannot be configured from here. */
export async function inspectEngine({ socketPath, root }: GateSettings): Promise<RunningEngine> {
  const facts = await engineFacts(socketPath);
  if (facts === undefined && root === '/' && existsSync('/.dockerenv')) {
    throw new UserError(`no Engine answers at ${socketPath}, and this is a container; ${FROM_CONTAINER}`);
  }
  if (facts === undefined) return { facts, dockerd: undefined };
  const dockerd = findDockerd(socketPath);
  if (dockerd === undefined) {
    throw new UserError(
      `the Engine at ${socketPath} answers, but its dockerd is not visible in /proc; ${FROM_CONTAINER}`,
    );
  }
  if (!sharesRoot(dockerd, root)) {
    throw new UserError(
      `the files at ${root} are not those that dockerd (process ${dockerd.pid}) sees; ${FROM_CONTAINER}`,
    );
  }
  rejectFlags(dockerd);
  return { facts, dockerd };
}

/** dockerd rejects settings that are both in daemon.json and on its command line. */
function rejectFlags(dockerd: Dockerd): void {
  for (const flag of ['--add-runtime', '--default-runtime']) {
    if (argument(dockerd, flag) === undefined) continue;
    throw new UserError(
      `dockerd was started with ${flag}, so it ignores runtimes in daemon.json; move these there first`,
    );
  }
}

export const configPath = ({ config }: GateSettings, dockerd: Dockerd | undefined): string =>
  config ?? (dockerd && argument(dockerd, '--config-file')) ?? '/etc/docker/daemon.json';

/** The OCI runtime that the gate calls: for the default runtime, the previous default. */
async function realRuntime(
  settings: GateSettings,
  content: DaemonJson,
  dockerd: Dockerd | undefined,
  asDefault: boolean,
): Promise<string> {
  const program = settings.runtime ?? (asDefault ? await previousRuntime(settings, content) : 'runc');
  const found = findProgram(settings, program, dockerd?.path);
  if (found === undefined)
    throw new UserError(`there is no runtime ${program} on the host; name the real one with --runtime`);
  return found;
}

async function previousRuntime(settings: GateSettings, content: DaemonJson): Promise<string> {
  const now = content['default-runtime'] ?? 'runc';
  const name = now === RUNTIME ? ((await readInstallState(settings))?.previousDefault ?? 'runc') : now;
  if (name === 'runc') return 'runc';
  const { path, runtimeArgs = [] } = content.runtimes?.[name] ?? {};
  if (path !== undefined && runtimeArgs.length === 0) return path;
  throw new UserError(
    `the default runtime is "${name}", which has no path of its own; name the real one with --runtime`,
  );
}

async function installFiles(
  settings: GateSettings,
  runtime: string,
  facts: EngineFacts | undefined,
): Promise<string[]> {
  const containers = join(facts?.rootDir ?? '/var/lib/docker', 'containers');
  const files = [...(await programFiles()), confFile({ runtime, runDir: settings.runDir, containers })];
  const names = await outdated(settings, files);
  const isFirst = names.length === files.length;
  await writeFiles(
    settings,
    files.filter(({ name }) => names.includes(name)),
  );
  try {
    await testLockdown(settings);
  } catch (error) {
    if (isFirst) await removeFiles(settings);
    throw error;
  }
  return names.length === 0 ? [] : [`wrote ${names.join(', ')} in ${settings.libDir}, around ${runtime}`];
}

interface Change {
  readonly config: string;
  readonly text: string | undefined;
  readonly content: DaemonJson;
  readonly after: string;
}

/** Changes that others made since the last installation are part of the text to restore. */
async function changeConfig(settings: GateSettings, change: Change): Promise<readonly string[]> {
  const { config, text, content, after } = change;
  const previous = await readInstallState(settings);
  const [old, now] = [previous?.previousDefault ?? null, content['default-runtime'] ?? null];
  const previousDefault = now === RUNTIME ? old : now;
  const clean = text === undefined ? null : withoutGate(text, previousDefault ?? undefined);
  const before =
    previous !== undefined && previous.after === text ? previous.before : clean === text ? text : clean;
  await writeInstallState(settings, { config, before, after, previousDefault });
  const path = onHost(settings, config);
  await writeDaemonJson(path, after);
  const kept = text === undefined ? '' : `; ${backupOf(config)} is the previous version`;
  return [`added the runtime "${RUNTIME}" to ${config}${kept}`];
}

async function reloadEngine(
  settings: GateSettings,
  { dockerd, facts }: RunningEngine,
  { config, text }: { readonly config: string; readonly text: string | undefined },
  asDefault: boolean,
): Promise<string> {
  if (dockerd === undefined || facts === undefined)
    return 'no Engine answers: it finds the gate when it starts';
  reload(dockerd);
  if (await waitFor(settings.reloadTimeout, () => isKnown(settings, asDefault))) {
    const as = asDefault ? ', and uses it for all containers without another runtime' : '';
    return `dockerd (process ${dockerd.pid}) reloaded its configuration: the Engine now has "${RUNTIME}"${as}`;
  }
  await restoreDaemonJson(onHost(settings, config), text);
  reload(dockerd);
  throw new UserError(`dockerd rejected ${config}; restored the previous file; see dockerd's log`);
}

async function isKnown(settings: GateSettings, asDefault: boolean): Promise<boolean> {
  const facts = await engineFacts(settings.socketPath);
  const isDefault = facts?.defaultRuntime === RUNTIME;
  return facts?.gatePath === runtimePath(settings) && (isDefault || !asDefault);
}

/** Repeats the check until it succeeds or the time is over. */
export async function waitFor(milliseconds: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    if (await isSo()) return true;
    await sleep(100);
  }
  return false;
}
