/**
 * What the `consul` package's client inherits from papi, its HTTP layer, and does not declare; and
 * the one repair papi needs: when a connection breaks in the middle of an answer, it waits for the
 * end of the answer until its timeout (read in its source, and tried), here it fails at once.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';

export interface Papi {
  _ext(event: 'onRequest', callback: (request: PapiRequest, next: () => void) => void): void;
  _post(options: PapiPost, middleware?: PapiMiddleware): Promise<unknown>;
}

interface PapiRequest {
  transport: { request(options: RequestOptions): ClientRequest };
}

/** `next(false, undefined, value)` resolves to the value, `next()` goes on. */
type PapiMiddleware = (
  request: { readonly res?: { readonly statusCode?: number } },
  next: (stop?: false, error?: undefined, value?: unknown) => void,
) => void;

interface PapiPost {
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly ctx?: unknown;
  readonly timeout?: number;
}

export function asPapi<T extends object>(client: T): T & Papi {
  if (!isPapi(client)) throw new TypeError('This version of the consul package is not built on papi.');
  return client;
}

/** An answer with one of these statuses is a result, not an error. */
export const accepting =
  (...statuses: readonly number[]): PapiMiddleware =>
  ({ res }, next) =>
    statuses.includes(res?.statusCode ?? 0) ? next(false, undefined, res) : next();

export function failOnBrokenAnswers(client: Papi, secure: boolean): void {
  const { request } = secure ? https : http;
  const transport = {
    request: (options: RequestOptions): ClientRequest => {
      const outgoing = request(options);
      // With no listener of its own, a broken answer emits no error at all.
      outgoing.on('response', (answer: IncomingMessage) => {
        answer.on('error', (error) => outgoing.emit('error', error));
      });
      return outgoing;
    },
  };
  client._ext('onRequest', (pending, next) => {
    pending.transport = transport;
    next();
  });
}

const isPapi = (client: object): client is Papi =>
  '_ext' in client &&
  typeof client._ext === 'function' &&
  '_post' in client &&
  typeof client._post === 'function';
