/**
 * The events of the live state as text, in pieces of some kilobytes, so that no text of megabytes is made at once.
 * All pieces of an event are one line: a piece ends anywhere.
 */
import { type Changes, entryText, type LiveState } from '../../live/state.ts';
import { TABLE_NAMES, type TableName } from '../../live/tables.ts';

export interface Moment {
  readonly revision: number;
  /** In ms since the epoch. */
  readonly at: number;
}

/** Characters. */
const PIECE = 32 * 1024;

export const snapshotText = (moment: Moment, state: LiveState): Iterable<string> =>
  inPieces(event('snapshot', moment, 'state', stateText(state)));

export const changesText = (moment: Moment, changes: Changes): Iterable<string> =>
  inPieces(event('changes', moment, 'changes', tablesText(changes)));

function* event(
  name: string,
  { revision, at }: Moment,
  field: string,
  content: Iterable<string>,
): Iterable<string> {
  yield `event: ${name}\nid: ${revision}\ndata: {"revision":${revision},"at":${at},"${field}":{`;
  yield* content;
  yield '}}\n\n';
}

function* stateText(state: LiveState): Iterable<string> {
  for (const [index, name] of TABLE_NAMES.entries()) {
    yield `${index === 0 ? '' : ','}"${name}":`;
    yield* pairsText(state[name]);
  }
}

function* tablesText(changes: Changes): Iterable<string> {
  let isFirst = true;
  for (const name of TABLE_NAMES) {
    const one = changes[name];
    if (one === undefined) continue;
    yield `${isFirst ? '' : ','}"${name}":{`;
    isFirst = false;
    if (one.set) {
      yield '"set":';
      yield* pairsText(one.set);
    }
    if (one.removed) yield `${one.set ? ',' : ''}"removed":${JSON.stringify(one.removed)}`;
    yield '}';
  }
}

type AnyPairs = Iterable<
  readonly [string, LiveState[TableName] extends ReadonlyMap<string, infer E> ? E : never]
>;

function* pairsText(pairs: AnyPairs): Iterable<string> {
  let before = '[';
  for (const [id, entry] of pairs) {
    yield `${before}[${JSON.stringify(id)},${entryText(entry)}]`;
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

function* inPieces(parts: Iterable<string>): Iterable<string> {
  let piece = '';
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
