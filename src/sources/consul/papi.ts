/**
 * Declares what the `consul` package inherits from papi, its HTTP layer, and does not declare; and mends papi: if a
 * connection breaks during an answer, papi waits until its timeout (read in its source, and tried), and it accepts
 * answers of any size. With this file both fail at once.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { TOO_LARGE } from './errors.ts';

export interface Papi {
  _ext(event: 'onRequest', callback: (request: PapiRequest, next: () => void) => void): void;
  _get(options: PapiOptions): Promise<unknown>;
  _post(options: PapiOptions): Promise<unknown>;
}

type PapiOptions = Readonly<Record<'path', string> & Record<string, unknown>>;

interface PapiRequest {
  transport: { request(options: RequestOptions): ClientRequest };
}

/** The largest accepted answer, in bytes: a hundred times a large folder. */
const LARGEST_ANSWER = 64e6;

export function asPapi<T extends object>(client: T): T & Papi {
  if (!isPapi(client)) throw new TypeError('This version of the consul package is not built on papi.');
  return client;
}

const isPapi = (client: object): client is Papi =>
  ['_ext', '_get', '_post'].every((method) => typeof Reflect.get(client, method) === 'function');

export function guardAnswers(client: Papi, secure: boolean): void {
  const { request } = secure ? https : http;
  const transport = {
    request: (options: RequestOptions): ClientRequest => {
      const outgoing = request(options);
      outgoing.on('response', (answer) => guard(answer, outgoing));
      return outgoing;
    },
  };
  client._ext('onRequest', (pending, next) => {
    pending.transport = transport;
    next();
  });
}

/** A broken answer emits its error only to a listener, and papi adds none. */
function guard(answer: IncomingMessage, outgoing: ClientRequest): void {
  let size = 0;
  answer.on('error', (error) => outgoing.emit('error', error));
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LARGEST_ANSWER) answer.destroy(Object.assign(new Error('too large'), { code: TOO_LARGE }));
  });
}
