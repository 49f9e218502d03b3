/**
 * Makes the next table from the entries of now: an entry that says the same stays the same object, and so does a table
 * in which nothing differs. So what did not change costs nothing later on.
 */
import type { Steps } from '../../common/slices.ts';
import { isSame } from '../../live/state.ts';

type Table<T> = ReadonlyMap<string, T>;

export function* reuseEqual<T extends object>(
  previous: Table<T>,
  entries: Iterable<readonly [string, T]>,
): Steps<Table<T>> {
  const next = new Map<string, T>();
  let isChanged = false;
  for (const [id, entry] of entries) {
    const known = previous.get(id);
    const isKnown = known !== undefined && isSame(known, entry);
    next.set(id, isKnown ? known : entry);
    isChanged ||= !isKnown;
    yield;
  }
  return isChanged || next.size !== previous.size ? next : previous;
}

/** The same for few entries. */
export const reuseEqualEntry = <T extends object>(
  previous: Table<T>,
  id: string,
  entry: T | undefined,
): Table<T> => {
  if (entry === undefined) return previous.size === 0 ? previous : new Map();
  const known = previous.get(id);
  return known !== undefined && previous.size === 1 && isSame(known, entry)
    ? previous
    : new Map([[id, entry]]);
};
