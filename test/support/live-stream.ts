/**
 * Reads the stream of a watch socket as a page's process does: the state, and each event.
 */
import { type ClientRequest, request } from 'node:http';
import { waitFor } from '../../lab/wait.ts';
import {
  applyChanges,
  type Changes,
  EMPTY_STATE,
  type LiveState,
  stateOf,
  type WireState,
} from '../../src/live/state.ts';

export interface LiveReader {
  readonly status: number | undefined;
  readonly state: LiveState;
  readonly revision: number;
  /** The names of the events, in order. */
  readonly events: readonly string[];
  readonly comments: number;
  readonly isOpen: boolean;
  /** Resolves with what `check` returns once it is something. */
  until<T>(check: (state: LiveState) => T | undefined | false): Promise<T>;
  close(): void;
}

interface Event {
  readonly name: string;
  readonly revision: number;
  readonly state?: WireState;
  readonly changes?: Changes;
}

export function readLive(socketPath: string): LiveReader {
  let text = '';
  let call: ClientRequest | undefined;
  const reader = {
    status: undefined as number | undefined,
    state: EMPTY_STATE,
    revision: 0,
    events: [] as string[],
    comments: 0,
    isOpen: true,
    until: <T>(check: (state: LiveState) => T | undefined | false) =>
      waitFor(async () => check(reader.state), { what: 'the live state', timeout: 60_000, interval: 10 }),
    close: () => call?.destroy(),
  };
  const take = (event: Event) => {
    reader.events.push(event.name);
    reader.revision = event.revision;
    if (event.state) reader.state = stateOf(event.state);
    if (event.changes) reader.state = applyChanges(reader.state, event.changes);
  };
  call = request({ socketPath, path: '/v1/live' }, (response) => {
    reader.status = response.statusCode;
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      const blocks = (text + piece).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks)
        if (block.startsWith(':')) reader.comments += 1;
        else take(parsed(block));
    });
    response.on('close', () => {
      reader.isOpen = false;
    });
    response.on('error', () => {});
  });
  call.on('error', () => {
    reader.isOpen = false;
  });
  call.end();
  return reader;
}

function parsed(block: string): Event {
  const fields = new Map(
    block.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
  );
  const data: Omit<Event, 'name'> = JSON.parse(fields.get('data') ?? '');
  return { name: fields.get('event') ?? '', ...data };
}
