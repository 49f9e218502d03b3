/**
 * `egresstrator keys`: lists the ACL keys in Consul, their sizes, and the workloads of this host that have them.
 */
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatKeys } from '../format/keys.ts';

export async function keys(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const answer = await ask(context, (diagnostics) => diagnostics.keys());
  context.output.result(answer, (seen) => formatKeys(seen.keys, seen.unread, context.style));
}
