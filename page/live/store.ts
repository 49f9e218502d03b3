/**
 * What the page knows of the host: signals, filled by the stream.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { LiveState } from '../../src/live/state.ts';
import type { TableName } from '../../src/live/tables.ts';
import { type Known, NOTHING_KNOWN } from './fold.ts';

export const known = signal<Known>(NOTHING_KNOWN);

/** All tables. Prefer `table`, which does not change with the others. */
export const state: ReadonlySignal<LiveState> = computed(() => known.value.state);

export const link = computed(() => known.value.link);

/** True once there is something to show. */
export const hasState = computed(() => known.value.at > 0);

const signals = new Map<TableName, ReadonlySignal<LiveState[TableName]>>();

/** One table as a signal, which changes only when the table does. */
export function table<T extends TableName>(name: T): LiveState[T] {
  if (!signals.has(name))
    signals.set(
      name,
      computed(() => known.value.state[name]),
    );
  signals.get(name)?.value;
  return known.peek().state[name];
}

export const controller = computed(() => known.value.state.controller.get('controller'));
