/**
 * The live state of a host: tables of entries by id, and the changes from one state to the next. Pure.
 *
 * On the wire a table is a list of pairs, because ids are texts of users: an object would give `__proto__` a meaning.
 */
import { TABLE_NAMES, type TableName, type Tables } from './tables.ts';

export type LiveState = { readonly [T in TableName]: ReadonlyMap<string, Tables[T]> };

type Pairs<T extends TableName> = readonly (readonly [string, Tables[T]])[];

export type WireState = { readonly [T in TableName]?: Pairs<T> | undefined };

export interface TableChanges<T extends TableName> {
  readonly set?: Pairs<T> | undefined;
  readonly removed?: readonly string[] | undefined;
}

export type Changes = { readonly [T in TableName]?: TableChanges<T> | undefined };

/** The events of the stream, by their names. `revision` is the event's id; `at` is when it was made. */
export interface LiveEvents {
  /** All of it. Replaces what is known. */
  readonly snapshot: { readonly revision: number; readonly at: number; readonly state: WireState };
  /** What differs from the revision before. */
  readonly changes: { readonly revision: number; readonly at: number; readonly changes: Changes };
  /** From the page's process alone: whether it hears from the controller; `since`: when that changed; `at`: it was sent. */
  readonly link: {
    readonly at: number;
    readonly isConnected: boolean;
    readonly since: number;
    readonly reason?: string | undefined;
  };
}

export const EMPTY_STATE: LiveState = mapped<'map'>(() => new Map());

export const stateOf = (wire: WireState): LiveState => mapped<'map'>((name) => new Map(wire[name]));

export const wireOf = (state: LiveState): WireState => mapped<'pairs'>((name) => [...state[name]]);

export const applyChanges = (state: LiveState, changes: Changes): LiveState =>
  mapped<'map'>((name) => appliedTo(state[name], changes[name]));

/** A table without changes stays the same object. */
function appliedTo<T extends TableName>(
  table: ReadonlyMap<string, Tables[T]>,
  changes: TableChanges<T> | undefined,
): ReadonlyMap<string, Tables[T]> {
  if (changes === undefined) return table;
  const next = new Map(table);
  for (const id of changes.removed ?? []) next.delete(id);
  for (const [id, entry] of changes.set ?? []) next.set(id, entry);
  return next;
}

/** Undefined if nothing differs. Entries are compared as JSON; one that is the same object is not looked at. */
export function changesBetween(previous: LiveState, next: LiveState): Changes | undefined {
  const changes = mapped<'changes'>((name) => tableChanges(previous[name], next[name]));
  return TABLE_NAMES.some((name) => changes[name] !== undefined) ? changes : undefined;
}

function tableChanges<T extends TableName>(
  previous: ReadonlyMap<string, Tables[T]>,
  next: ReadonlyMap<string, Tables[T]>,
): TableChanges<T> | undefined {
  if (previous === next) return undefined;
  const set = [...next].filter(([id, entry]) => !isSame(previous.get(id), entry));
  const removed = [...previous.keys()].filter((id) => !next.has(id));
  if (set.length === 0 && removed.length === 0) return undefined;
  return { ...(set.length > 0 && { set }), ...(removed.length > 0 && { removed }) };
}

/** Entries are compared by their texts. */
export const isSame = (one: object | undefined, other: object): boolean =>
  one === other || (one !== undefined && entryText(one) === entryText(other));

/** An entry is compared many times, and written as text once. */
const texts = new WeakMap<object, string>();

export function entryText(entry: object): string {
  const known = texts.get(entry);
  if (known !== undefined) return known;
  const text = JSON.stringify(entry);
  texts.set(entry, text);
  return text;
}

/** What can stand for each table. */
interface Shapes<T extends TableName> {
  readonly map: ReadonlyMap<string, Tables[T]>;
  readonly pairs: Pairs<T> | undefined;
  readonly changes: TableChanges<T> | undefined;
}

function mapped<S extends keyof Shapes<TableName>>(
  make: <T extends TableName>(name: T) => Shapes<T>[S],
): { readonly [T in TableName]: Shapes<T>[S] } {
  return {
    controller: make('controller'),
    sources: make('sources'),
    workloads: make('workloads'),
    ingress: make('ingress'),
    unsupported: make('unsupported'),
    notEnabled: make('notEnabled'),
    keys: make('keys'),
    ingressKeys: make('ingressKeys'),
    services: make('services'),
    denied: make('denied'),
    deniedNames: make('deniedNames'),
    deniedRecords: make('deniedRecords'),
    deniedCalls: make('deniedCalls'),
    names: make('names'),
    host: make('host'),
    networks: make('networks'),
    events: make('events'),
    hosts: make('hosts'),
  };
}
