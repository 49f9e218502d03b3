/**
 * Requests to the Engine over dockerode, each with a limit, and with errors of ours.
 *
 * Handles pitfalls of the library: it never settles if a response is cut off (deadline.ts), reads the whole answer
 * into memory, and removes the last character of a path with a query.
 */
import { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { withDeadline } from './deadline.ts';
import { EngineAnswerError, engineError } from './errors.ts';
import type { Selection } from './json-filter.ts';
import { readSelected } from './selected-fields.ts';

export class EngineRequests {
  readonly #docker: Dockerode;
  readonly #address: string;
  readonly #limit: number;

  /** `limit`: default milliseconds of a request. `address`: for messages. */
  constructor(docker: Dockerode, address: string, limit: number) {
    this.#docker = docker;
    this.#address = address;
    this.#limit = limit;
  }

  /** Reads JSON that may contain text of an image's author. Unused parts are dropped, however long they are. */
  json(path: string, what: string, selection?: Selection): Promise<unknown> {
    return this.call(what, async (signal) => {
      const stream = asReadable(await this.#dial(path, signal), what);
      signal.addEventListener('abort', () => stream.destroy());
      return readSelected(stream, what, selection);
    });
  }

  /** Streams the answer: the library itself would read it into memory first. */
  #dial(plain: string, abortSignal: AbortSignal): Promise<unknown> {
    // The library removes the last character of a path with a query, because its own paths end in a question mark.
    const path = plain.includes('?') ? `${plain}&` : plain;
    const options = { path, method: 'GET', isStream: true, statusCodes: { 200: true }, abortSignal };
    return new Promise((resolve, reject) => {
      this.#docker.modem.dial(options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  async call<T>(what: string, request: (signal: AbortSignal) => Promise<T>, limit = this.#limit) {
    try {
      return await withDeadline(limit, what, request);
    } catch (error) {
      throw engineError(error, what, this.#address);
    }
  }
}

export function asReadable(stream: unknown, what: string): Readable {
  if (stream instanceof Readable) return stream;
  throw new EngineAnswerError(
    `The Docker Engine did not answer with a stream as expected: could not ${what}.`,
  );
}
