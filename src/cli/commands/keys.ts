/**
 * `egresstrator keys`: lists the ACL keys in Consul, their sizes, and the workloads of this host that have them.
 */
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { keyUses } from '../../diagnostics/keys.ts';
import { workloadsOf } from '../../diagnostics/policy-view.ts';
import { commandContext } from '../diagnostics/context.ts';
import { learn } from '../diagnostics/source.ts';
import { formatKeys } from '../format/keys.ts';

export async function keys(flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, paint } = commandContext(flags, terminal);
  const answer = await learn({ scope: 'named', withoutContainers: true }, config, terminal);
  const { acl, catalog, protectedHosts, unread } = answer;
  const workloads = answer.workloadsKnown ? workloadsOf(answer) : undefined;
  const uses = keyUses({ acl, catalog, protectedHosts, workloads });
  output.result({ keys: uses, unread: [...unread] }, (seen) => formatKeys(seen.keys, seen.unread, paint));
}
