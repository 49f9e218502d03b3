/**
 * `egresstrator health`: checks the running controller. Exit code 0 if it is healthy, 1 if not.
 */

import { UserError } from '../../common/errors.ts';
import { type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient } from '../../daemon/api/client.ts';
import { HealthReply } from '../../daemon/api/schema.ts';
import { createOutput } from '../output.ts';

/** Milliseconds that the controller may take to answer. */
const TIMEOUT = 4_000;

export async function health(flags: Flags, terminal: Terminal): Promise<void> {
  const { socket } = resolveConfig(flags, terminal.environment);
  const output = createOutput(terminal, flags.json === true);
  const { ok, reason, unreadable = [] } = await new ApiClient(socket).get('/healthz', HealthReply, TIMEOUT);
  if (!ok) throw new UserError(`the controller at ${socket} is not healthy: ${reason ?? 'no reason given'}`);
  const described = unreadable.length === 0 ? { ok } : { ok, unreadable };
  output.result({ socket, unreadable }, format, described);
}

const format = (seen: { readonly socket: string; readonly unreadable: readonly string[] }): string =>
  [
    `the controller at ${seen.socket} is healthy`,
    ...seen.unreadable.map(
      (name) => `the Engine cannot inspect ${name}: its last known settings count (see egresstrator status)`,
    ),
  ].join('\n');
