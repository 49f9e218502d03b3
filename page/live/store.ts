/**
 * What the page knows of the host: one signal for each table, filled by the stream.
 */
import { signal } from '@preact/signals';
import { applyChanges, EMPTY_STATE, type LiveState } from '../../src/live/state.ts';

export const state = signal<LiveState>(EMPTY_STATE);

export const take = (changes: Parameters<typeof applyChanges>[1]): void => {
  state.value = applyChanges(state.value, changes);
};
