/**
 * The texts of keys: those that were begun, and those in Consul.
 */
import { signal } from '@preact/signals';
import type { Direction } from '../../../src/common/direction.ts';
import { table } from '../../live/store.ts';
import type { Draft } from './draft.ts';

/** Texts that were begun, by key and by what one came to add. They last as long as the page. */
export const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

export const keep = (id: string, draft: Draft): void => {
  drafts.value = new Map([...drafts.value, [id, draft]]);
};

export const textsOf = (direction: Direction) => table(direction === 'egress' ? 'keys' : 'ingressKeys');
