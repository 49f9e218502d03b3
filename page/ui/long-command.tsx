/**
 * A command whose input may be long: its beginning is shown, and all of it is copied.
 */
import { CopyButton } from './copy.tsx';

const MOST = 14;

export function LongCommand({ text, label }: { readonly text: string; readonly label: string }) {
  const lines = text.split('\n');
  const more = lines.length - MOST;
  const shown =
    more <= 1 ? text : [...lines.slice(0, MOST - 1), `… ${more} more lines`, ...lines.slice(-1)].join('\n');
  return (
    <div class="command">
      <code>{shown}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
