/**
 * `egresstrator ports`: which container ports are open, and why; opens and closes them by hand.
 */
import { UsageError, UserError } from '../../common/errors.ts';
import { type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { PortReply, type PortRequest } from '../../daemon/api/host-schema.ts';
import { containerPortOf } from '../../diagnostics/explain-in.ts';
import { requireController } from '../controller.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatPort, formatPorts } from '../format/ports.ts';
import type { WantedPort } from '../host-program.ts';
import { createOutput } from '../output.ts';

export async function ports(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const { host, calls } = await ask(context, async (diagnostics) => {
    const host = await diagnostics.host();
    const denied = host.guard === undefined ? undefined : await diagnostics.deniedIn({});
    return { host, calls: denied?.calls ?? [] };
  });
  const { state, guard, openings, closed, byHand, problems } = host;
  output.result({ state, guard, openings, closed, byHand, problems, denied: calls }, (seen) =>
    formatPorts(seen, Date.now(), style),
  );
}

export async function setPort(wanted: WantedPort, flags: Flags, terminal: Terminal): Promise<void> {
  const request: PortRequest = {
    ...{ container: wanted.container, ...containerPortOf(wanted.traffic) },
    rule: ruleOf(wanted, flags.from),
  };
  const config = resolveConfig(flags, terminal.environment);
  const controller = await requireController(config);
  if (controller === undefined)
    throw new UserError(
      `no controller answers at ${config.socket}, and it alone opens and closes ports; start one, or give its --socket`,
    );
  const reply = await controller.post('/v1/ports', request, PortReply);
  createOutput(terminal, flags.json === true).result(reply, formatPort);
}

function ruleOf({ kind }: WantedPort, from: unknown): PortRequest['rule'] {
  if (kind !== 'open') return { kind };
  if (typeof from !== 'string') return { kind, from: 'anyone' };
  const prefixes = from.split(',').map((one) => one.trim());
  if (prefixes.includes(''))
    throw new UsageError('--from: expected prefixes, as 198.51.100.0/24,2001:db8::/32');
  return { kind, from: prefixes };
}
