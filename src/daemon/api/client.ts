/**
 * Sends requests to a running controller through its unix socket.
 */
import { request } from 'node:http';
import type { z } from 'zod';
import { messageOf, UserError } from '../../common/errors.ts';
import { ErrorReply } from './schema.ts';

export class ApiClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** `limit`: milliseconds for the answer; default: no limit. */
  get<T>(url: string, reply: z.ZodType<T>, limit?: number): Promise<T> {
    return this.#call({ method: 'GET', url, limit }, reply);
  }

  post<T>(url: string, body: object, reply: z.ZodType<T>): Promise<T> {
    return this.#call({ method: 'POST', url, body: JSON.stringify(body) }, reply);
  }

  async #call<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const { status, text } = await send(this.#path, call);
    const value = parseJson(text);
    if (status !== 200) {
      const failure = ErrorReply.safeParse(value);
      throw new UserError(
        failure.success ? failure.data.error : `the controller answered with status ${status}`,
      );
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new UserError(
      `the controller at ${this.#path} sent an unknown answer; do both have the same version?`,
    );
  }
}

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly limit?: number | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(socketPath: string, { method, url: path, body, limit }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(
        new UserError(
          `the controller at ${socketPath} does not answer (${messageOf(error)}); is it running?`,
          {
            cause: error,
          },
        ),
      );
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const deadline = limit === undefined ? {} : { signal: AbortSignal.timeout(limit) };
    const call = request({ socketPath, method, path, headers, ...deadline }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', fail);
    });
    call.on('error', fail);
    call.end(body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
