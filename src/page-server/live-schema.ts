/**
 * What the controller's stream may hold. Entries are passed on as they are: the browser shows them as text, and nothing
 * here looks into them but for the version.
 */
import { z } from 'zod';
import type { LiveEvents, WireState } from '../live/state.ts';
import { TABLE_NAMES } from '../live/tables.ts';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isPairs = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && isObject(pair[1]));

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Tables that this version does not know are from another one, and are left out. */
const known = (value: object): readonly unknown[] =>
  TABLE_NAMES.map((name): unknown => Reflect.get(value, name)).filter((table) => table !== undefined);

const State = z.custom<WireState>((value) => isObject(value) && known(value).every(isPairs));

const Changes = z.custom<LiveEvents['changes']['changes']>(
  (value) => isObject(value) && known(value).every(isTableChanges),
);

function isTableChanges(value: unknown): boolean {
  if (!isObject(value)) return false;
  const set: unknown = Reflect.get(value, 'set');
  const removed: unknown = Reflect.get(value, 'removed');
  return (set === undefined || isPairs(set)) && (removed === undefined || isTexts(removed));
}

export const SnapshotEvent = z.object({ revision: z.number(), at: z.number(), state: State });
export const ChangesEvent = z.object({ revision: z.number(), at: z.number(), changes: Changes });
