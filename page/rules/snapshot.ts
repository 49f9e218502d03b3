/**
 * The snapshot from which the project's own diagnostics answer, made of what the stream has brought.
 */
import { computed } from '@preact/signals';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import { createIndexCache } from '../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../src/live/snapshot.ts';
import type { TableName } from '../../src/live/tables.ts';
import { state, table } from '../live/store.ts';

/** Those that it is made of: it does not change with denied packets. */
const PARTS: readonly TableName[] = [
  ...(['controller', 'keys', 'services', 'workloads', 'unsupported', 'notEnabled', 'names'] as const),
];

/** Keys whose text is the same are not parsed again. */
let previous: Snapshot | undefined;

export const snapshot = computed(() => {
  for (const part of PARTS) table(part);
  previous = snapshotOf(state.peek(), previous);
  return previous;
});

/** What is the same for all containers of a host; made once for each set of keys and instances. */
export const indexOf = createIndexCache();
