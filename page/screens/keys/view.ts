/**
 * The keys of one direction as they are now.
 */
import { computed } from '@preact/signals';
import type { Direction } from '../../../src/common/direction.ts';
import type { KeysView } from '../../../src/diagnostics/keys.ts';
import { table } from '../../live/store.ts';
import { reuseEqualKeys } from '../../rules/reuse.ts';
import { keysView, snapshot } from '../../rules/snapshot.ts';
import { failuresOf, ingressView } from './model.ts';

let ingress: KeysView | undefined;

const ofIngress = computed((): KeysView | undefined => {
  const present = keysView.value;
  if (present === undefined) return undefined;
  const tables = { ingressKeys: table('ingressKeys'), ingress: table('ingress') };
  ingress = reuseEqualKeys(ingress, ingressView(tables, present.catalog, ingress?.acl));
  return ingress;
});

/** Undefined until the rules are known. */
export const viewIn = (direction: Direction): KeysView | undefined =>
  direction === 'egress' ? keysView.value : ofIngress.value;

const unread = computed(() => snapshot.value?.unread);

/** Services that could not be read: it does not change with other parts of the snapshot. */
export const failures = computed(() => failuresOf(unread.value ?? new Map()));
