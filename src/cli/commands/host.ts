/**
 * `egresstrator host status`, `host render` and `forwards`: the host's rules, from the running controller.
 */
import { bootId } from '../../common/steady-clock.ts';
import type { Config, Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { isHostLeft, LEFT_ON_HOST } from '../../daemon/state/host-files.ts';
import type { HostAnswer } from '../../diagnostics/host-view.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatForwards, formatHost } from '../format/host.ts';

export async function hostStatus(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const { config, output, style } = context;
  const answer = await ask(context, (diagnostics) => diagnostics.host());
  const host = answer.state === 'off' ? await withLeftRules(answer, config) : answer;
  output.result(host, (seen) => formatHost(seen, Date.now(), style));
}

/** The state folder tells of rules that an earlier controller has loaded. */
async function withLeftRules(host: HostAnswer, { stateDir }: Config): Promise<HostAnswer> {
  if (stateDir === undefined || !(await isHostLeft(stateDir, bootId()))) return host;
  return { ...host, problems: [...host.problems, { severity: 'warning', reason: LEFT_ON_HOST }] };
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
