/**
 * The table of denied calls. A scan of all ports makes thousands, so there is room for the latest.
 */
import type { Steps } from '../../common/slices.ts';
import type { DeniedCall } from '../../diagnostics/denied-in.ts';
import type { LiveState } from '../../live/state.ts';
import { deniedCallId } from '../../live/tables.ts';
import { reuseEqual } from './reuse.ts';

const MOST = 5_000;

export function* callTable(
  previous: LiveState,
  calls: readonly DeniedCall[],
): Steps<Pick<LiveState, 'deniedCalls'>> {
  const latest =
    calls.length <= MOST ? calls : calls.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, MOST);
  const rows = latest.map((call) => [deniedCallId(call), call] as const);
  return { deniedCalls: yield* reuseEqual(previous.deniedCalls, rows) };
}
