/**
 * Asks the controller at its watch socket. It answers GET alone.
 */
import { type IncomingMessage, request } from 'node:http';
import { messageOf, UserError } from '../common/errors.ts';

/** One sentence for people: what is wrong, and the way out. */
export function reasonOf(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return `no controller answers at ${path}: it must run with --watch-socket ${path}`;
  if (code === 'EACCES' || code === 'EPERM')
    return `the page may not use ${path}: run it in the group that the socket belongs to (--watch-group of the controller)`;
  if (code === 'ECONNRESET') return `the controller at ${path} has stopped, or starts again`;
  return `the controller at ${path} does not answer (${messageOf(error)})`;
}

export interface Opened {
  readonly response: IncomingMessage;
  close(): void;
}

/** Resolves when the answer begins. `limit`: milliseconds until then. */
export function openAnswer(path: string, url: string, limit: number): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: url, method: 'GET', agent: false });
    const close = () => call.destroy();
    const timer = setTimeout(() => call.destroy(tooLate(limit)), limit);
    call.once('response', (response) => {
      clearTimeout(timer);
      resolve({ response, close });
    });
    call.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end();
  });
}

const tooLate = (limit: number): Error => new UserError(`no answer in ${limit / 1000} s`);

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface AnswerLimits {
  /** Milliseconds for all of it. */
  readonly time: number;
  /** Bytes. */
  readonly size: number;
}

/** A whole answer. Throws a `UserError` with one sentence. */
export async function ask(path: string, url: string, limits: AnswerLimits): Promise<Answer> {
  try {
    const { response, close } = await openAnswer(path, url, limits.time);
    const timer = setTimeout(() => response.destroy(tooLate(limits.time)), limits.time);
    try {
      return { status: response.statusCode ?? 0, body: await wholeBody(response, limits.size) };
    } finally {
      clearTimeout(timer);
      close();
    }
  } catch (error) {
    throw new UserError(reasonOf(error, path), { cause: error });
  }
}

async function wholeBody(response: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > most) throw new UserError(`its answer has more than ${most / 2 ** 20} MiB`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
