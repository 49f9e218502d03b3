/**
 * `egresstrator host clear`: removes the host's own rules, after they were turned off.
 */
import { UserError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient } from '../../daemon/api/client.ts';
import { askController } from '../../daemon/api/diagnostics-client.ts';
import { clearInner } from '../../daemon/inner-leftovers.ts';
import { clearHostFiles } from '../../daemon/state/host-files.ts';
import { forgetNetworks } from '../../daemon/state/networks-file.ts';
import { openDocker, openEngine, toolLogger } from '../../daemon/wiring.ts';
import { HOST_REF } from '../../dataplane/dataplane.ts';
import { isListening } from '../../http/unix-socket.ts';
import { confirm } from '../confirm.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';
import { runningControllers } from '../uninstall/engine-steps.ts';
import { mayHaveNetworks } from '../uninstall/routes-step.ts';

export async function hostClear(flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const output = createOutput(terminal, false);
  await requireTurnedOff(config, terminal);
  const hasNetworks = await mayHaveNetworks(config.stateDir);
  if (flags.yes !== true)
    output.note('This opens all guarded ports of containers, and ends all forwards of this host.');
  if (flags.yes !== true && hasNetworks)
    output.note(
      "What networks.json permits ends, and so do its ports and routes in containers. Docker's networks stay, and containers stay attached to them.",
    );
  await confirm({ yes: flags.yes, json: false, otherwise: 'nothing was removed' }, terminal);
  await withProgress('Removing the rules of this host', terminal, () =>
    remove(config, terminal, hasNetworks),
  );
  output.note("the host's rules are removed");
}

async function remove(config: Config, terminal: Terminal, hasNetworks: boolean): Promise<void> {
  const engine = await openEngine(config, terminal, toolLogger(terminal));
  try {
    await engine.otherFirewalls?.remove();
    await engine.hostDataplane.clear(HOST_REF, 'host');
    if (hasNetworks) await clearInner(engine);
    if (config.stateDir === undefined) return;
    await clearHostFiles(config.stateDir);
    await forgetNetworks(config.stateDir);
  } finally {
    await engine.close();
  }
}

/** The controller itself tells: between its start and its first load no file does. */
async function requireTurnedOff(config: Config, terminal: Terminal): Promise<void> {
  const { socket } = config;
  if (!(await isListening(socket))) return requireNoContainer(config, terminal);
  const { state } = await askController(new ApiClient(socket)).host();
  if (state === 'off') return;
  throw new UserError(
    `a controller answers at ${socket}, and would load the rules again: start it without --ports, --forwards and --networks first, or stop it`,
  );
}

/** The socket of a controller in a container may not be on this host. Without an Engine there is none. */
async function requireNoContainer(config: Config, terminal: Terminal): Promise<void> {
  const [name] = await runningControllers(openDocker(config, terminal)).catch(() => []);
  if (name === undefined) return;
  throw new UserError(
    `a controller runs in the container ${name}, and would load the rules again if they are on: run \`docker exec -it ${name} egresstrator host clear\`, which asks it, or stop it`,
  );
}
