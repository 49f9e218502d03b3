/**
 * The snapshot from which the project's own diagnostics answer, made of what the stream has brought.
 */
import { computed } from '@preact/signals';
import type { KeysView } from '../../src/diagnostics/keys.ts';
import { workloadsOf } from '../../src/diagnostics/namespace-view.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import { createIndexCache } from '../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../src/live/snapshot.ts';
import type { TableName } from '../../src/live/tables.ts';
import { state, table } from '../live/store.ts';
import { reuseEqual, reuseEqualKeys } from './reuse.ts';

/** Those that it is made of: it does not change with denied packets. */
const PARTS: readonly TableName[] = [
  ...(['controller', 'keys', 'services', 'workloads', 'unsupported', 'notEnabled', 'names'] as const),
];

/** Keys whose text is the same are not parsed again. */
let previous: Snapshot | undefined;

export const snapshot = computed(() => {
  for (const part of PARTS) table(part);
  const next = snapshotOf(state.peek(), previous);
  previous = next && reuseEqual(previous, next);
  return previous;
});

let keys: KeysView | undefined;

/** The ACL keys and who holds them: it does not change with the states of workloads. */
export const keysView = computed(() => {
  const present = snapshot.value;
  if (present === undefined) return undefined;
  const { acl, catalog, protectedHosts } = present;
  keys = reuseEqualKeys(keys, { acl, catalog, protectedHosts, workloads: workloadsOf(present) });
  return keys;
});

/** What is the same for all containers of a host; made once for each set of keys and instances. */
export const indexOf = createIndexCache();
