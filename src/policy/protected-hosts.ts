/**
 * Excludes single hosts, such as a cloud's metadata service, from broad prefixes: a program that can reach that
 * service can often act as the machine.
 */
import { contains, type Family, formatPrefix, type Prefix, splitPrefix } from '../net/address.ts';

/** Prefixes of at least this length grant the protected hosts inside them. */
export const MINIMUM_LENGTH: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/**
 * The entries with protected hosts excluded from every prefix shorter than `minimumLength`: such a prefix becomes
 * at most 32 (128) prefixes around each host. The others stay.
 */
export const excludeProtected = <T extends { readonly prefix: Prefix }>(
  entries: Iterable<T>,
  protectedHosts: readonly Prefix[],
  minimumLength: Readonly<Record<Family, number>> = MINIMUM_LENGTH,
): T[] => {
  const excluded = new Map<string, readonly Prefix[]>();
  const around = (prefix: Prefix): readonly Prefix[] => {
    const key = formatPrefix(prefix);
    const known = excluded.get(key) ?? exclude(prefix, protectedHosts);
    excluded.set(key, known);
    return known;
  };
  const kept: T[] = [];
  for (const entry of entries) {
    const { prefix } = entry;
    if (prefix.length >= minimumLength[prefix.family] || !protectedHosts.some(touches(prefix)))
      kept.push(entry);
    else kept.push(...around(prefix).map((part) => ({ ...entry, prefix: part })));
  }
  return kept;
};

/** The parts of a prefix without the protected hosts, in ascending order. */
const exclude = (prefix: Prefix, hosts: readonly Prefix[]): readonly Prefix[] => {
  const inside = hosts.filter(touches(prefix));
  if (inside.length === 0) return [prefix];
  if (inside.some((host) => contains(host, prefix))) return [];
  return splitPrefix(prefix).flatMap((half) => exclude(half, inside));
};

const touches =
  (prefix: Prefix) =>
  (host: Prefix): boolean =>
    contains(prefix, host) || contains(host, prefix);
