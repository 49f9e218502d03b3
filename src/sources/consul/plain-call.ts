/**
 * Single calls to Consul's HTTP API that answer once and change little: the list of services, and what
 * the controller says of itself. Rules and services themselves are read by `client.ts`.
 */
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { ConsulError, messageOf } from '../../common/errors.ts';
import type { Settings } from './options.ts';
import { currentToken } from './token.ts';

export interface PlainCall {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** With its query, `/v1/catalog/services`. */
  readonly path: string;
  readonly body?: string;
  /** For messages: `the list of services`. */
  readonly what: string;
}

/** The body; undefined for 404. Fails with a `ConsulError` on every other status than 200. */
export async function plainCall(settings: Settings, call: PlainCall): Promise<string | undefined> {
  const { endpoint } = settings;
  const token = await currentToken(settings);
  const answer = await send(settings, call, token).catch((error: unknown) => {
    throw new ConsulError(
      `Consul at ${endpoint.label} does not answer, asked for ${call.what}: ${messageOf(error)}.`,
      { cause: error },
    );
  });
  if (answer.status === 404) return undefined;
  if (answer.status === 200) return answer.body;
  const remedy = answer.status === 403 ? '; the token lacks a permission, see docs/operating.md' : '';
  throw new ConsulError(
    `Consul at ${endpoint.label} rejected ${call.what} with status ${answer.status}${remedy}.`,
    { permanent: answer.status === 403 },
  );
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function send(
  { endpoint, tls, timeout }: Settings,
  { method, path, body }: PlainCall,
  token: string | undefined,
): Promise<Answer> {
  const { host, port, socketPath, secure } = endpoint;
  const place = socketPath === undefined ? { host, port } : { socketPath };
  const headers = token === undefined ? {} : { 'x-consul-token': token };
  const options = { ...place, method, path, headers, agent: false, signal: AbortSignal.timeout(timeout) };
  return new Promise((resolve, reject) => {
    const receive = (response: http.IncomingMessage): void => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, body: bytes.toString('utf8') }),
        reject,
      );
    };
    const request = secure ? https.request({ ...options, ...tls }, receive) : http.request(options, receive);
    request.on('error', reject);
    request.end(body);
  });
}
