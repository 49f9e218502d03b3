/**
 * `egresstrator host status`, `host render` and `forwards`: the host's rules, from the running controller.
 */
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatForwards, formatHost } from '../format/host.ts';

export async function hostStatus(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const host = await ask(context, (diagnostics) => diagnostics.host());
  output.result(host, (seen) => formatHost(seen, Date.now(), style));
}

export async function hostRender(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const rendered = await ask(context, (diagnostics) => diagnostics.hostRules());
  context.output.text(rendered.text, rendered);
}

export async function forwards(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const { forwards: all, problems, state } = await ask(context, (diagnostics) => diagnostics.host());
  output.result({ forwards: all, problems, state }, (seen) => formatForwards(seen, style));
}
