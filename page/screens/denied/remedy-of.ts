/**
 * Remedies by the present rules: loaded apart from the screen, as it needs the parser and the diagnostics.
 */
import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import type { Snapshot } from '../../../src/diagnostics/snapshot.ts';
import type { DeniedEntry } from '../../../src/live/tables.ts';
import { nameRemedyOf, putCommand, type Remedy, remedyOf } from '../../rules/allow.ts';
import { type AllowedNow, type AllowingLine, allowedNow } from '../../rules/allowed-now.ts';
import { indexOf, keysView, snapshot } from '../../rules/snapshot.ts';

export { canBeSet, setCommand } from '../../rules/allow.ts';

/** Undefined while the rules are not known. */
export function forDestination(row: DeniedEntry): Remedy | undefined {
  const present = snapshot.value;
  const remedy = present && remedyOf(row, withEnded(row, present), indexOf(present));
  // A container that has ended cannot be given a key any more.
  return remedy && row.ended ? { ...remedy, others: [] } : remedy;
}

const byKeys = new WeakMap<object, AllowedNow>();

/** The line that allows it by now. A container that has ended keeps what was denied to it. */
export function allowingLine(row: DeniedEntry): AllowingLine | undefined {
  const keys = keysView.value;
  const present = snapshot.value;
  if (keys === undefined || present === undefined || present.denylist || row.ended) return undefined;
  const find = byKeys.get(keys) ?? allowedNow(keys);
  byKeys.set(keys, find);
  const view = present.namespaces?.find(({ target }) => target === row.container);
  return view && find(view.grants, row);
}

/** The keys of a container that has ended are those with which it ran. */
function withEnded({ container, ended }: DeniedEntry, present: Snapshot): Snapshot {
  if (ended === undefined) return present;
  const own = { id: container, target: container, workloads: [container], ids: [], dns: 'none' } as const;
  return { ...present, namespaces: [...(present.namespaces ?? []), { ...own, ...ended }] };
}

export const forName = (row: DeniedNameRow): Remedy | undefined =>
  snapshot.value && nameRemedyOf(row, snapshot.value);

/** The command that adds a line to a key. */
export function put(key: string, line: string): string {
  const present = snapshot.peek();
  return present === undefined ? '' : putCommand(key, [line], present);
}
