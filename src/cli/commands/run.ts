/**
 * `egresstrator` without a command: runs the controller until it is told to stop.
 */
import type { Logger } from '../../common/logger.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { requireNoController } from '../../daemon/api/server.ts';
import { start } from '../../daemon/run.ts';
import { claimState } from '../../daemon/state/folder-lock.ts';
import { openLogger } from '../../daemon/wiring.ts';
import { stopSignal } from '../stop-signal.ts';

export async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const log = openLogger(config, terminal);
  const stopping = stopSignal();
  // Checked first: two controllers would undo each other's loads.
  await requireNoController(config.socket);
  if (config.stateDir !== undefined && !config.dryRun) await claimState(config.stateDir, config.socket);
  const resources = new AsyncDisposableStack();
  try {
    await start(config, terminal, log, resources);
    announce(config, log);
    log.info({ signal: await stopping }, 'stopping; loaded rules stay');
  } finally {
    await resources.disposeAsync();
  }
}

function announce({ consul, docker, template, socket }: Config, log: Logger): void {
  const fields = { consul: consul.address, keys: consul.kvPath, docker: docker.host, template, socket };
  log.info(fields, 'controller started');
}
