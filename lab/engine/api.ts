/** The few Engine API calls the lab itself needs, over the Engine's unix socket. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { LabError } from '../errors.ts';

export interface EngineReply {
  readonly status: number;
  readonly body: unknown;
}

/** `body`, if given, is a tar archive. */
export function callEngine(
  socketPath: string,
  method: string,
  path: string,
  body?: NodeJS.ReadableStream,
): Promise<EngineReply> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/x-tar' };
    const timeout = body === undefined ? 30_000 : 600_000;
    const call = request({ socketPath, method, path, headers, timeout }, (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }),
        reject,
      );
    });
    call.on('timeout', () => call.destroy(new LabError(`The Engine at ${socketPath} does not answer.`)));
    call.on('error', reject);
    if (body === undefined) call.end();
    else body.on('error', reject).pipe(call);
  });
}

/** The version of the Engine at this socket; undefined if none answers. */
export async function answeringVersion(socketPath: string): Promise<string | undefined> {
  try {
    const { body } = await callEngine(socketPath, 'GET', '/version');
    return textField(body, 'Version');
  } catch {
    return undefined;
  }
}

/** Removes all containers of an Engine that is about to be removed, running or not. */
export async function removeAllContainers(socketPath: string): Promise<void> {
  const { body } = await callEngine(socketPath, 'GET', '/containers/json?all=1');
  const ids = (Array.isArray(body) ? body : []).map((container) => textField(container, 'Id'));
  await Promise.all(ids.map((id) => callEngine(socketPath, 'DELETE', `/containers/${id}?force=1&v=1`)));
}

/** Removes all networks but Docker's own, of an Engine without containers. */
export const removeNetworks = (socketPath: string): Promise<EngineReply> =>
  callEngine(socketPath, 'POST', '/networks/prune');

export function textField(value: unknown, name: string): string | undefined {
  const fields: Record<string, unknown> = { ...(value instanceof Object ? value : {}) };
  const field = fields[name];
  return typeof field === 'string' ? field : undefined;
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
