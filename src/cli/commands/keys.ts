/**
 * `egresstrator keys`: all ACL keys of Consul, what they come to, and who holds them on this host.
 */
import type { Flags } from '../../config/config.ts';
import { keyUses } from '../../domain/insight/keys.ts';
import { ask } from '../insight/context.ts';
import { granteesOf } from '../insight/knowledge.ts';
import { learn } from '../insight/source.ts';
import type { Terminal } from '../output.ts';
import { presentKeys } from '../present/keys.ts';

export async function keys(flags: Flags, terminal: Terminal): Promise<void> {
  const { config, output, paint } = ask(flags, terminal);
  const answer = await learn({ scope: 'named', withoutContainers: true }, config, terminal);
  const { acl, catalog, protectedHosts, unread } = answer;
  const workloads = answer.workloadsKnown ? granteesOf(answer) : undefined;
  const uses = keyUses({ acl, catalog, protectedHosts, workloads });
  output.result({ keys: uses, unread: [...unread] }, (seen) => presentKeys(seen.keys, seen.unread, paint));
}
