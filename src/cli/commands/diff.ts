/**
 * `egresstrator diff`: previews the access changes of an edited key. Writes nothing.
 */

import { UsageError } from '../../common/errors.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { formatDiff } from '../../format/diff.ts';
import { DENYLIST_NOTE } from '../../format/values.ts';
import { commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { readText } from '../text-file.ts';
import { directionOf } from './lint.ts';

export async function diff(key: string, flags: Flags, terminal: Terminal): Promise<void> {
  if (typeof flags.file !== 'string')
    throw new UsageError('give the new text by --file, or --file - to read it from standard input');
  const context = commandContext(flags, terminal);
  const { output, style } = context;
  const text = await readText(flags.file);
  const { direction } = directionOf(flags);
  const { denylist, unread, ...found } = await ask(context, (diagnostics) =>
    diagnostics.diff({ key, text, ...directionOf(flags) }),
  );
  if (denylist) output.note(DENYLIST_NOTE);
  for (const name of unread)
    output.note(
      `service ${name} could not be read, so its ${direction === undefined ? 'destinations' : 'instances'} are not known`,
    );
  output.result({ key, ...found }, (seen) => formatDiff(seen.key, seen, style, direction));
}
