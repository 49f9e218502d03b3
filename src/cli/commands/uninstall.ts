/**
 * `egresstrator uninstall`: removes egresstrator from this host: the gate, the rules in the containers' namespaces,
 * the folders and the images; with --keys also its data in Consul. Lists them first, and asks.
 */
import { basename, dirname } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { isListening } from '../../daemon/api/client.ts';
import { STATE_FILES } from '../../daemon/state/file-names.ts';
import { type Engine, openDocker, openEngine, toolLogger } from '../../daemon/wiring.ts';
import { type GateSettings, onHost } from '../../gate/layout.ts';
import { preparedFolder, recordFolder } from '../../gate/names.ts';
import { gateStatus } from '../../gate/status.ts';
import type { Engine as DockerEngine } from '../../sources/docker/engine.ts';
import { confirm } from '../confirm.ts';
import { plain, styleFor } from '../format/style.ts';
import { formatPlan, formatTaken } from '../format/uninstall.ts';
import { count } from '../format/values.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';
import { consulLookings } from '../uninstall/consul-steps.ts';
import { lookForHelpers, lookForImages, runningControllers } from '../uninstall/engine-steps.ts';
import { type Folder, lookForFolder } from '../uninstall/folder-step.ts';
import { isThere, lookForGate } from '../uninstall/gate-step.ts';
import { lookForRules } from '../uninstall/rules-step.ts';
import { type Looking, lookForAll, planned, takeAll } from '../uninstall/step.ts';
import { settingsOf } from './gate.ts';

interface Asked {
  readonly flags: Flags;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly docker: DockerEngine;
  /** Fails if no Engine answers. */
  readonly engine: () => Promise<Engine>;
}

export async function uninstall(flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const docker = openDocker(config, terminal);
  let opened: Promise<Engine> | undefined;
  const engine = () => {
    opened ??= openEngine(config, terminal, toolLogger(terminal));
    return opened;
  };
  try {
    await uninstallWith({ flags, config, terminal, docker, engine });
  } finally {
    await opened?.then((one) => one.close()).catch(() => undefined);
    docker.close();
  }
}

async function uninstallWith(asked: Asked): Promise<void> {
  const { flags, terminal } = asked;
  const json = flags.json === true;
  const output = createOutput(terminal, json);
  const style = json ? plain : styleFor(terminal);
  await requireNoController(asked);
  const plan = await withProgress('Looking for what is there', terminal, () =>
    lookForAll(lookingsFor(asked)),
  );
  const steps = planned(plan);
  const takes = plan.steps.length > 0;
  const agreed = flags.yes === true || !takes;
  if (!json || !agreed) {
    const withKeys = flags.keys === true;
    output.result({ steps }, (seen) => formatPlan(seen.steps, { withKeys, style }));
  }
  if (takes) await confirm({ yes: flags.yes, json, otherwise: 'nothing was removed' }, terminal);
  const taken = await withProgress('Removing it', terminal, () => takeAll(plan));
  if (takes || json) output.result({ steps: taken }, (seen) => formatTaken(seen.steps, style));
  const left = taken.filter(({ state }) => state === 'left').length;
  if (left > 0)
    throw new UserError(
      `${count(left, 'part')} ${left === 1 ? 'is' : 'are'} left; fix the cause, and run this again`,
    );
}

/** A controller would load the rules again. */
async function requireNoController({ config, docker }: Asked): Promise<void> {
  const reject = (who: string) => {
    throw new UserError(
      `${who}, and would load the rules again: stop it first, for example with \`systemctl disable --now egresstrator\` or \`docker compose rm --stop egresstrator\``,
    );
  };
  if (await isListening(config.socket)) reject(`a controller answers at ${config.socket}`);
  const names = await runningControllers(docker).catch(() => []);
  if (names.length > 0) reject(`a controller runs in the container ${names.join(', ')}`);
}

function lookingsFor({ flags, config, terminal, docker, engine }: Asked): readonly Looking[] {
  const gate = () => settingsOf(flags, terminal);
  const root = typeof flags.root === 'string' ? flags.root : '/';
  return [
    { part: 'gate', look: async () => lookForGate(gate(), flags.force === true) },
    { part: 'rules', look: async () => lookForRules(await engine()) },
    { part: 'helpers', look: () => lookForHelpers(docker) },
    ...foldersOf(config, root, gate).map((folder) => ({
      ...{ part: folder.part, look: () => lookForFolder(folder) },
    })),
    { part: 'image', look: () => lookForImages(docker, config.docker.image) },
    ...(flags.keys === true ? consulLookings(config) : []),
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
