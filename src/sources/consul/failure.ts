/**
 * What went wrong with a request, taken out of whatever the package or Node threw.
 *
 * The package's own error objects hold the whole response and through it the request's headers, the
 * token among them. They end here: nothing of theirs travels on but a code, a status and a short text.
 */
import { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import { redact } from './token.ts';

export interface Failure {
  /** Node's or OpenSSL's code, as `ECONNREFUSED`. */
  readonly code: string | undefined;
  /** HTTP status; undefined where Consul gave no answer. */
  readonly status: number | undefined;
  /** What Consul, or Node, says; one line. */
  readonly text: string;
  readonly timedOut: boolean;
}

const longestText = 200;

const thrown = z.object({
  code: z.string().optional().catch(undefined),
  isTimeout: z.literal(true).optional().catch(undefined),
  response: z
    .object({ statusCode: z.number(), body: z.instanceof(Buffer).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

export function failureOf(error: unknown, token: string | undefined): Failure {
  const { code, isTimeout, ...rest } = thrown.safeParse(error).data ?? {};
  // A connection that broke in the middle of an answer has both; the answer then says nothing.
  const response = code === undefined ? rest.response : undefined;
  const text = response === undefined ? messageOf(error) : (response.body?.toString('utf8') ?? '');
  return {
    code,
    status: response?.statusCode,
    text: oneLine(redact(text, token)),
    timedOut: isTimeout ?? false,
  };
}

/** The evidence that a `ConsulError` carries as its cause. */
export const evidence = ({ code, status, text }: Failure): Error =>
  Object.assign(
    new Error([code, status, text].filter((part) => part !== undefined && part !== '').join(' ')),
    {
      ...(code === undefined ? {} : { code }),
      ...(status === undefined ? {} : { status }),
    },
  );

function oneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}
