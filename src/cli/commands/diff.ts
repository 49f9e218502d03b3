/**
 * `egresstrator diff`: who would gain or lose what if a text were put into Consul. Puts nothing.
 */
import type { Flags } from '../../config/config.ts';
import { parseAcl } from '../../domain/acl.ts';
import { UsageError } from '../../domain/errors.ts';
import { diffKey } from '../../domain/insight/diff.ts';
import { servicesOf } from '../../domain/resolve.ts';
import { serviceName } from '../../domain/service.ts';
import { ask, DENYLIST_NOTE } from '../insight/context.ts';
import { granteesOf } from '../insight/knowledge.ts';
import { learn } from '../insight/source.ts';
import type { Terminal } from '../output.ts';
import { presentDiff } from '../present/diff.ts';
import { readText } from './lint.ts';

export async function diff(key: string, flags: Flags, terminal: Terminal): Promise<void> {
  if (typeof flags.file !== 'string')
    throw new UsageError('give the new text by --file, or --file - to read it from standard input');
  const { config, output, paint } = ask(flags, terminal);
  const text = await readText(flags.file);
  const also = servicesOf(parseAcl(new Map([[key, text]])).values()).map(serviceName);
  const answer = await learn({ scope: 'named', also }, config, terminal);
  const { acl, catalog, protectedHosts, unread } = answer;
  if (answer.denylist) output.note(DENYLIST_NOTE);
  for (const name of unread)
    output.note(`service ${name} could not be looked up, so what it grants is not told`);
  const result = diffKey(key, text, { acl, catalog, protectedHosts, workloads: granteesOf(answer) });
  output.result({ key, ...result }, (seen) => presentDiff(seen.key, seen, paint));
}
