/**
 * Which line allows a denied destination by now, as rows stay for an hour after somebody has stored it. Pure.
 */
import { destinationOf } from '../../src/diagnostics/destination.ts';
import { ReasonIndex } from '../../src/diagnostics/reason-index.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import { grantedKeys, matchesFor } from '../../src/policy/compile.ts';
import { memoized } from './memoized.ts';

export interface AllowingLine {
  readonly key: string;
  /** From 1. */
  readonly line: number;
}

interface Row {
  readonly address: string;
  readonly protocol: string;
  readonly port?: number | undefined;
  readonly packets: number;
}

/** For a workload with the keys `grants`. With a denylist no line allows anything. */
export type AllowedNow = (grants: readonly string[], row: Row) => AllowingLine | undefined;

/** Made once for each set of keys and instances. */
export function allowedNow({
  acl,
  catalog,
  protectedHosts,
}: Pick<Snapshot, 'acl' | 'catalog' | 'protectedHosts'>): AllowedNow {
  const indexOf = memoized(
    (grants) =>
      new ReasonIndex(matchesFor(grantedKeys(grants, acl), catalog, protectedHosts).reasons, protectedHosts),
  );
  return (grants, { port, ...row }) => {
    const destination = destinationOf({ ...row, port });
    const [found] = destination === undefined ? [] : indexOf(grants).find(destination).allowing;
    return found && { key: found.key, line: found.line.line };
  };
}
