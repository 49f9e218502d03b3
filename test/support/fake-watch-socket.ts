/**
 * A watch socket without a controller: it streams a live state that the test sets, and answers questions with what the
 * test gives.
 */
import { createServer, type ServerResponse } from 'node:http';
import { applyChanges, type Changes, changesBetween, type LiveState, wireOf } from '../../src/live/state.ts';

export interface FakeWatchSocket {
  /** Streams that are open. */
  readonly streams: number;
  /** The requests so far, as `GET /v1/live`. */
  readonly requests: readonly string[];
  /** Sends what differs. */
  set(state: LiveState): void;
  change(changes: Changes): void;
  /** Sends any event, also one that no controller sends. */
  send(event: string, data: object): void;
  /** Ends the streams and removes the socket, as a controller that stops. */
  close(): Promise<void>;
}

/** By path, without the query; what is not among them is answered by 404. */
export type Answers = Readonly<Record<string, (query: URLSearchParams) => object>>;

export async function serveFakeWatchSocket(
  path: string,
  initial: LiveState,
  answers: Answers = {},
  now: () => number = Date.now,
): Promise<FakeWatchSocket> {
  const streams = new Set<ServerResponse>();
  const requests: string[] = [];
  let [state, revision] = [initial, 1];
  const send = (response: ServerResponse, event: string, data: object) =>
    response.write(
      `event: ${event}\nid: ${revision}\ndata: ${JSON.stringify({ revision, at: now(), ...data })}\n\n`,
    );
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    if (request.method !== 'GET') return reply(response, 405, { error: 'GET alone' });
    if (pathname !== '/v1/live') {
      const answer = answers[pathname];
      return answer === undefined
        ? reply(response, 404, { error: `no ${pathname}` })
        : reply(response, 200, answer(searchParams));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    streams.add(response);
    response.once('close', () => streams.delete(response));
    send(response, 'snapshot', { state: wireOf(state) });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const change = (changes: Changes) => {
    state = applyChanges(state, changes);
    revision += 1;
    for (const response of streams) send(response, 'changes', { changes });
  };
  return {
    get streams() {
      return streams.size;
    },
    requests,
    change,
    send: (event, data) => {
      for (const response of streams) send(response, event, data);
    },
    set: (next) => {
      const changes = changesBetween(state, next);
      if (changes !== undefined) change(changes);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
