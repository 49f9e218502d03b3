/**
 * `egresstrator host restore`: loads the last rules of the host again, where no controller runs.
 */

import { UserError } from '../../common/errors.ts';
import { bootId } from '../../common/steady-clock.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { type HostText, readHostText } from '../../daemon/state/host-text.ts';
import { openEngine, toolLogger } from '../../daemon/wiring.ts';
import { HOST_REF } from '../../dataplane/dataplane.ts';
import { isListening } from '../../http/unix-socket.ts';
import { createOutput } from '../output.ts';
import { withProgress } from '../progress.ts';

export async function hostRestore(flags: Flags, terminal: Terminal): Promise<void> {
  const config = resolveConfig(flags, terminal.environment);
  const rules = await lastRules(config);
  await withProgress("Loading the host's rules", terminal, () => load(rules, config, terminal));
  reportRestored(rules, flags, terminal);
}

export function reportRestored(
  { fingerprint, isOfThisBoot }: Omit<HostText, 'text'>,
  flags: Flags,
  terminal: Terminal,
): void {
  createOutput(terminal, flags.json === true).result({ fingerprint, isOfThisBoot }, (seen) =>
    seen.isOfThisBoot
      ? `loaded the last rules of the host (${seen.fingerprint})`
      : `loaded the rules for the time after a reboot (${seen.fingerprint}): nothing is open or forwarded until a controller runs`,
  );
}

async function lastRules({ socket, stateDir }: Config): Promise<HostText> {
  if (await isListening(socket))
    throw new UserError(
      `the controller at ${socket} keeps the host's rules loaded, so nothing is to restore`,
    );
  const rules = stateDir === undefined ? undefined : await readHostText(stateDir, bootId());
  if (rules !== undefined) return rules;
  throw new UserError(
    `${stateDir ?? 'the state folder'} has no rules of the host: no controller with --ports or --forwards has loaded any (see --state-dir)`,
  );
}

async function load({ fingerprint, text }: HostText, config: Config, terminal: Terminal): Promise<void> {
  const engine = await openEngine(config, terminal, toolLogger(terminal));
  try {
    const loaded = await engine.hostDataplane.load(HOST_REF, { owner: 'host', text, fingerprint });
    if (loaded.fingerprint !== fingerprint)
      throw new UserError('the kernel does not have the rules after the load; another program replaced them');
  } finally {
    await engine.close();
  }
}
