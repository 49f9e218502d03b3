/**
 * `egresstrator diff`: previews the access changes of an edited key. Writes nothing.
 */

import { UsageError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { diffKey } from '../../diagnostics/diff.ts';
import { workloadsOf } from '../../diagnostics/policy-view.ts';
import { serviceName } from '../../inventory/service.ts';
import { parseAcl } from '../../policy/acl.ts';
import { servicesOf } from '../../policy/compile.ts';
import { commandContext, DENYLIST_NOTE } from '../diagnostics/context.ts';
import { learn } from '../diagnostics/source.ts';
import { formatDiff } from '../format/diff.ts';
import { readText } from './lint.ts';

export async function diff(key: string, flags: Flags, terminal: Terminal): Promise<void> {
  if (typeof flags.file !== 'string')
    throw new UsageError('give the new text by --file, or --file - to read it from standard input');
  const { config, output, paint } = commandContext(flags, terminal);
  const text = await readText(flags.file);
  const also = servicesOf(parseAcl(new Map([[key, text]])).values()).map(serviceName);
  const answer = await learn({ scope: 'named', also }, config, terminal);
  const { acl, catalog, protectedHosts, unread } = answer;
  if (answer.denylist) output.note(DENYLIST_NOTE);
  for (const name of unread)
    output.note(`service ${name} could not be read, so its destinations are not known`);
  const result = diffKey(key, text, { acl, catalog, protectedHosts, workloads: workloadsOf(answer) });
  output.result({ key, ...result }, (seen) => formatDiff(seen.key, seen, paint));
}
