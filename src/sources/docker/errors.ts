/**
 * Errors of the Engine, each with one sentence that says what to do.
 */
import { EngineError, messageOf } from '../../common/errors.ts';

/** The Engine rejected a request. `status` is the HTTP status of its answer. */
export class EngineHttpError extends EngineError {
  readonly status: number;
  /** The Engine's own words, trimmed. */
  readonly detail: string;
  constructor(
    message: string,
    evidence: ErrorOptions & { readonly status: number; readonly detail: string },
  ) {
    super(message, evidence);
    this.status = evidence.status;
    this.detail = evidence.detail;
  }
}

/** The Engine did not answer: nothing listens, or the connection broke. */
export class EngineUnreachable extends EngineError {}

/** The Engine accepted a request and did not answer in time. */
export class EngineTimeout extends EngineError {}

/** An answer that cannot be parsed. */
export class EngineAnswerError extends EngineError {}

export const isHttpError = (error: unknown, ...statuses: number[]): error is EngineHttpError =>
  error instanceof EngineHttpError && statuses.includes(error.status);

/**
 * Converts errors of the client library to ours. `what` completes "could not …"; `address` is the address of the
 * Engine.
 */
export function engineError(error: unknown, what: string, address: string): EngineError {
  if (error instanceof EngineError) return error;
  const status = property(error, 'statusCode');
  if (typeof status === 'number') return httpError(error, what, status);
  return new EngineUnreachable(unreachable(error, what, address), { cause: error });
}

/** The prefix that the library puts in front of the Engine's message. */
const LIBRARYS_WORDS = /^\(HTTP code \d+\) [^-]*- /;

function httpError(error: unknown, what: string, status: number): EngineHttpError {
  const message = property(property(error, 'json'), 'message');
  const detail = (
    typeof message === 'string' ? message : messageOf(error).replace(LIBRARYS_WORDS, '')
  ).trim();
  return new EngineHttpError(`The Docker Engine could not ${what}: ${detail}`, {
    cause: error,
    status,
    detail,
  });
}

function unreachable(error: unknown, what: string, address: string): string {
  const code = property(error, 'code');
  const explanation = typeof code === 'string' ? reasons[code] : undefined;
  if (explanation !== undefined) return `${explanation(address)} (could not ${what}).`;
  return `The connection to the Docker Engine at ${address} broke: could not ${what}: ${messageOf(error)}.`;
}

/** Node's error codes of a failed connection. */
const reasons: Readonly<Record<string, (address: string) => string>> = {
  ENOENT: (address) =>
    `There is no Docker Engine at ${address}: the socket is missing; start the Engine, mount its socket, or set DOCKER_HOST`,
  ENOTSOCK: (address) =>
    `${address} is not a socket: mount the Docker Engine's socket there, or set DOCKER_HOST`,
  ECONNREFUSED: (address) => `Nothing answers at ${address}: start the Docker Engine, or set DOCKER_HOST`,
  EACCES: (address) =>
    `Permission denied at ${address}: run as root or as a member of the group that owns the Docker Engine's socket`,
  EPERM: (address) =>
    `Permission denied at ${address}: run as root or as a member of the group that owns the Docker Engine's socket`,
  ENOTFOUND: (address) => `The Docker Engine's host at ${address} has no address: check DOCKER_HOST`,
};

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
