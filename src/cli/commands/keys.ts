/**
 * `egresstrator keys`: lists the ACL keys in Consul (with --ingress the ingress keys), their sizes, and the containers
 * of this host that name them.
 */
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatKeys } from '../format/keys.ts';
import { directionOf } from './lint.ts';

export async function keys(flags: Flags, terminal: Terminal): Promise<void> {
  const context = commandContext(flags, terminal);
  const asked = directionOf(flags);
  const answer = await ask(context, (diagnostics) => diagnostics.keys(asked));
  context.output.result(answer, (seen) => formatKeys(seen.keys, seen.unread, context.style, asked.direction));
}
