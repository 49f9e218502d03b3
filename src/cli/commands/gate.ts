/**
 * `egresstrator gate`: installs, removes or checks the OCI runtime that enforces rules from the first instruction
 * of a container. The code behind it is loaded only when it is called.
 */
import type { Command } from 'commander';
import { UsageError, UserError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { DEFAULT_GATE_SETTINGS, type GateSettings, RUNTIME } from '../../gate/layout.ts';
import type { GateStatus } from '../../gate/status.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';

const RUN_DIR = `folder shared with the controller (default: "${DEFAULT_GATE_SETTINGS.runDir}", $EGRESSTRATOR_RUN_DIR)`;

/** Adds `gate` with its own commands to the program. */
export function addGate(program: Command, terminal: Terminal): void {
  const gate = program
    .command('gate')
    .description('enforce rules from the first instruction of a container: an OCI runtime for Docker')
    .addHelpText('after', EXAMPLES);
  const install = gate.command('install').description('install or update the gate on this host');
  const uninstall = gate.command('uninstall').description('remove the gate from this host');
  const status = gate.command('status').description('show whether the gate is installed and works');
  for (const command of [install, uninstall, status]) addPlaces(command.exitOverride());
  install
    .option('--default', 'use it for all containers without another runtime')
    .option('--runtime <path>', 'the real OCI runtime that it calls (default: the current one)')
    .option('--run-dir <path>', RUN_DIR)
    .action((_options, command: Command) => runInstall(command.optsWithGlobals(), terminal));
  uninstall
    .option('--force', 'even if containers use it; these cannot start again')
    .action((_options, command: Command) => runUninstall(command.optsWithGlobals(), terminal));
  status.action((_options, command: Command) => runStatus(command.optsWithGlobals(), terminal));
}

function addPlaces(command: Command): void {
  command
    .option(
      '--root <path>',
      "where the host's file system is mounted, in a container",
      DEFAULT_GATE_SETTINGS.root,
    )
    .option('--lib-dir <path>', 'where the gate is on the host', DEFAULT_GATE_SETTINGS.libDir)
    .option('--config <path>', "the Engine's daemon.json on the host (default: the file that dockerd reads)")
    .option('--json', 'print JSON');
}

async function runInstall(flags: Flags, terminal: Terminal): Promise<void> {
  const settings = settingsOf(flags, terminal);
  const { installGate } = await import('../../gate/install.ts');
  const install = () => installGate(settings, flags.default === true);
  report(await withProgress('Installing the gate', terminal, install), flags, terminal);
}

async function runUninstall(flags: Flags, terminal: Terminal): Promise<void> {
  const { uninstallGate } = await import('../../gate/uninstall.ts');
  const uninstall = () => uninstallGate(settingsOf(flags, terminal), flags.force === true);
  report(await withProgress('Removing the gate', terminal, uninstall), flags, terminal);
}

/** Prints what was changed, one line each. */
export function report(changes: readonly string[], flags: Flags, terminal: Terminal): void {
  const output = createOutput(terminal, flags.json === true);
  output.result({ changes }, (seen) => (changes.length === 0 ? 'nothing to do' : seen.changes.join('\n')));
}

async function runStatus(flags: Flags, terminal: Terminal): Promise<void> {
  const { gateStatus, isWorking } = await import('../../gate/status.ts');
  const status = await gateStatus(settingsOf(flags, terminal));
  createOutput(terminal, flags.json === true).result(status, describe);
  if (!isWorking(status)) throw new UserError(remedy(status));
}

/** Shared with `uninstall`. */
export function settingsOf(flags: Flags, { environment }: Terminal): GateSettings {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const { root, libDir, runDir } = DEFAULT_GATE_SETTINGS;
  return {
    ...DEFAULT_GATE_SETTINGS,
    root: text('root') ?? root,
    libDir: absolute('--lib-dir', text('libDir') ?? libDir),
    runDir: absolute('--run-dir', text('runDir') ?? controllersRunDir(environment) ?? runDir),
    config: absolute('--config', text('config')),
    runtime: text('runtime'),
    socketPath: socketOf(text('dockerHost') ?? environment.DOCKER_HOST),
  };
}

/** The controller's setting: the gate finds only rules in this folder. */
function controllersRunDir({ EGRESSTRATOR_RUN_DIR: path }: Terminal['environment']): string | undefined {
  return path === '' || path === 'none' ? undefined : path;
}

/** The Engine starts the gate in other folders, so relative paths do not work. */
function absolute<T extends string | undefined>(flag: string, path: T): T {
  if (path === undefined || path.startsWith('/')) return path;
  throw new UsageError(`${flag}: expected an absolute path, not "${path}"`);
}

function socketOf(host: string | undefined): string {
  if (host === undefined || host === '') return DEFAULT_GATE_SETTINGS.socketPath;
  const path = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (path === undefined)
    throw new UsageError(
      `the gate is installed on the Engine's own host: expected unix:///path, not "${host}"`,
    );
  return path;
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

const describe = (status: GateStatus): string =>
  [
    `installed       ${status.installed ? `in ${status.libDir}` : 'no'}`,
    `current         ${yes(status.current)}`,
    `engine knows it ${status.knownToEngine === undefined ? 'no Engine answers' : yes(status.knownToEngine)}`,
    `default runtime ${yes(status.isDefault)}`,
    `real runtime    ${status.runtime ?? 'unknown'}`,
    `missing tools   ${status.missingTools.join(', ') || 'none'}`,
    `prepared rules  ${status.preparedTexts} in ${status.runDir}/prepared`,
  ].join('\n');

function remedy(status: GateStatus): string {
  if (status.missingTools.length > 0) return `the gate needs on the host: ${status.missingTools.join(', ')}`;
  if (!status.installed) return 'the gate is not installed: egresstrator gate install';
  if (status.knownToEngine === undefined) return 'no Docker Engine answers';
  return `the gate is ${status.current ? 'not registered with the Engine' : 'of another version'}: egresstrator gate install`;
}

const EXAMPLES = `
Examples:
  $ egresstrator gate install            then docker run --runtime ${RUNTIME}
  $ egresstrator gate install --default  for all containers
  $ egresstrator gate status
From the image, on the host's files:
  $ docker run --rm --privileged --pid host --network none -v /:/host \\
      -v /var/run/docker.sock:/var/run/docker.sock \\
      egresstrator gate install --root /host`;
