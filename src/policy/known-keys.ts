/**
 * Keys that an operator sets by hand must exist: a mistyped key grants nothing and would isolate the container.
 */
import { UserError } from '../common/errors.ts';
import { nearest } from '../common/nearest.ts';

/** Throws a `UserError` that names the keys which are not among those `known`. */
export function requireKnown(
  named: readonly string[],
  known: { has(key: string): boolean; keys(): Iterable<string> },
): void {
  const unknown = named.filter((key) => !known.has(key));
  const [first] = unknown;
  if (first === undefined) return;
  const suggestion = unknown.length === 1 ? nearest(first, [...known.keys()]) : undefined;
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const which = unknown.length === 1 ? `no ACL key ${first}` : `none of the ACL keys ${unknown.join(', ')}`;
  throw new UserError(`Consul has ${which}, so nothing was changed${meant} (--force accepts missing keys)`);
}
