/** One request to Consul's HTTP API, also over TLS. Tests use it to write and read Consul's state. */
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { LabError } from '../errors.ts';
import type { Certificates } from './certificates.ts';

export interface ConsulAccess {
  /** `http://127.0.0.1:8500`, without a slash at the end. */
  readonly address: string;
  readonly token?: string | undefined;
  readonly certificates?: Certificates | undefined;
}

export interface ConsulReply {
  readonly status: number;
  /** Parsed JSON, or the text if it is not JSON. */
  readonly body: unknown;
}

/** A string as `body` is sent unchanged, any other value as JSON. `path` begins with `/v1/`. */
export function callConsul(
  access: ConsulAccess,
  method: string,
  path: string,
  body?: unknown,
): Promise<ConsulReply> {
  const url = new URL(path, access.address);
  const request = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const headers = access.token === undefined ? {} : { 'X-Consul-Token': access.token };
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, timeout: 30_000, agent: false, ...tlsOptions(access) });
    call.on('response', (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }),
        reject,
      );
    });
    call.on('timeout', () => call.destroy(new LabError(`Consul at ${access.address} does not answer.`)));
    call.on('error', reject);
    call.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  });
}

function tlsOptions({ certificates }: ConsulAccess) {
  if (certificates === undefined) return {};
  const { caFile, client } = certificates;
  return { ca: readFileSync(caFile), cert: readFileSync(client.certFile), key: readFileSync(client.keyFile) };
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
