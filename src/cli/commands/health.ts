/**
 * `egresstrator health`: checks the running controller. Exit code 0 if it is healthy, 1 if not.
 */

import { UserError } from '../../common/errors.ts';
import { type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { ApiClient } from '../../daemon/api/client.ts';
import { HealthReply } from '../../daemon/api/schema.ts';
import { count } from '../../format/values.ts';
import { createOutput } from '../output.ts';

/** Milliseconds that the controller may take to answer. */
const TIMEOUT = 4_000;

export async function health(flags: Flags, terminal: Terminal): Promise<void> {
  const { socket } = resolveConfig(flags, terminal.environment);
  const output = createOutput(terminal, flags.json === true);
  const {
    ok,
    reason,
    unreadable = [],
    networksErrors,
  } = await new ApiClient(socket).get('/healthz', HealthReply, TIMEOUT);
  if (!ok) throw new UserError(`the controller at ${socket} is not healthy: ${reason ?? 'no reason given'}`);
  const described = {
    ok,
    ...(unreadable.length > 0 && { unreadable }),
    ...(networksErrors !== undefined && { networksErrors }),
  };
  output.result({ socket, unreadable, networksErrors }, format, described);
}

interface Healthy {
  readonly socket: string;
  readonly unreadable: readonly string[];
  readonly networksErrors: number | undefined;
}

const format = (seen: Healthy): string =>
  [
    `the controller at ${seen.socket} is healthy`,
    ...seen.unreadable.map(
      (name) => `the Engine cannot inspect ${name}: its last known settings count (see egresstrator status)`,
    ),
    ...(seen.networksErrors === undefined
      ? []
      : [`networks.json: ${count(seen.networksErrors, 'error')} (see egresstrator status)`]),
  ].join('\n');
