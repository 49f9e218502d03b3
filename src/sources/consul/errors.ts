/**
 * Explains a failed request in one sentence: which Consul was asked for what, what happened, and what to do.
 *
 * The package's error objects contain the whole response, and with it the request's headers and the token. They are
 * not passed on: only a code, a status and a short text are.
 */
import { z } from 'zod';
import { ConsulError, messageOf } from '../../common/errors.ts';
import type { Endpoint } from './address.ts';
import { named } from './setting-names.ts';
import { redact } from './token.ts';

/** The request that failed. */
export interface Subject {
  readonly endpoint: Endpoint;
  /** Completes "asked for …": `service pg@dc2`. */
  readonly what: string;
  readonly datacenter: string | undefined;
  readonly token: string | undefined;
}

export function explain(error: unknown, subject: Subject): ConsulError {
  if (error instanceof ConsulError) return error;
  const failure = failureOf(error, subject.token);
  const [says, remedy, permanence] = explanationOf(failure, subject);
  const message = `Consul at ${subject.endpoint.label} ${says}, asked for ${subject.what}: ${remedy}.`;
  const { code, status, text } = failure;
  const evidence = new Error([code, status, text].filter((part) => part !== undefined).join(' '));
  const cause = Object.assign(evidence, code !== undefined && { code }, status !== undefined && { status });
  return new ConsulError(message, { cause, permanent: permanence === 'permanent' });
}

interface Failure {
  /** Node's or OpenSSL's code, as `ECONNREFUSED`. */
  readonly code: string | undefined;
  /** Undefined without an answer. */
  readonly status: number | undefined;
  /** The message of Consul, or of Node; one line. */
  readonly text: string;
}

const LONGEST_TEXT = 200;

const thrown = z.object({
  code: z.string().optional().catch(undefined),
  isTimeout: z.literal(true).optional().catch(undefined),
  response: z
    .object({ statusCode: z.number(), body: z.instanceof(Buffer).optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

function failureOf(error: unknown, token: string | undefined): Failure {
  const { isTimeout, code = isTimeout && TIMEOUT, response } = thrown.safeParse(error).data ?? {};
  // A connection that broke during an answer has both; then the answer is not used.
  const answer = code === undefined ? response : undefined;
  const text = answer === undefined ? messageOf(error) : `${answer.body ?? ''}`;
  const line = redact(text, token)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const short = line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
  return { code, status: answer?.statusCode, text: short };
}

/** What Consul did, and what to do. `permanent`: a retry cannot succeed by itself. */
type Explanation = readonly [says: string, remedy: string, permanence?: 'permanent' | undefined];

function explanationOf({ code, status, text }: Failure, subject: Subject): Explanation {
  if (status !== undefined) return ofStatus(status, text, subject);
  const [, says = `could not be reached (${text})`, remedy = `check ${named.address}`, permanence] =
    byCode.find(([pattern]) => pattern.test(code ?? '')) ?? [];
  return [says, remedy, permanence];
}

function ofStatus(status: number, text: string, { endpoint, datacenter = '' }: Subject): Explanation {
  const quoted = text === '' ? '' : ` (${text})`;
  const answered = `answered ${status}${quoted}`;
  if (status === 403) return [answered, `give a valid token that may do this, in ${tokens}`, 'permanent'];
  if (/HTTP request to an HTTPS server/.test(text) && !endpoint.secure)
    return ['speaks only TLS', `add ${named.ssl} or write https://`, 'permanent'];
  if (/No path to datacenter/i.test(text))
    return [`does not know the datacenter ${datacenter}`, 'correct its name, or join it', 'permanent'];
  if (/leader/i.test(text)) return [`has no leader${quoted}`, 'check that most of its servers run'];
  if (status === 429) return [`accepts no more requests${quoted}`, 'raise its limits'];
  if (status >= 500) return [answered, 'check its log'];
  return [answered, `check that ${named.address} is really Consul's HTTP API`, 'permanent'];
}

const tokens = `${named.token} or ${named.tokenFile}`;
const TIMEOUT = 'TIMEOUT';
export const TOO_LARGE = 'TOO_LARGE';

/** The first match counts. */
const byCode: readonly (readonly [code: RegExp, ...Explanation])[] = [
  [/^TIMEOUT$/, 'did not answer in time', 'check whether it hangs or the network drops packets'],
  [
    /^TOO_LARGE$/,
    'sent more than 64 MB',
    `check that ${named.address} is really Consul's HTTP API; if it is, divide what is so large, such as a service of 100,000 instances`,
  ],
  [/^ECONNREFUSED$/, 'refuses the connection', `start Consul there, or correct ${named.address}`],
  [/^ENOENT$/, 'has no socket there', `start Consul, or correct ${named.address}`],
  [/^EACCES$/, 'has a socket without permission for this user', 'give this user write permission'],
  [/^ENOTFOUND$/, 'has a name that does not resolve', `correct ${named.address}`, 'permanent'],
  [/^EAI_AGAIN$/, 'has a name that could not be resolved', 'check the resolver of this host'],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/, 'cannot be reached', `check ${named.address} and the network`],
  [
    /^(ECONNRESET|EPIPE)$/,
    'closed the connection before its answer was complete',
    'if it did not just restart, check its log, and limits.http_max_conns_per_client',
  ],
  [
    /^(UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE)/,
    'has a certificate of an unknown authority',
    `give its CA file with ${named.ca}`,
    'permanent',
  ],
  [/^CERT_HAS_EXPIRED$/, 'has an expired certificate', 'renew it', 'permanent'],
  [/^CERT_NOT_YET_VALID$/, 'has a certificate that is not valid yet', 'compare both clocks', 'permanent'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'has a certificate for another name',
    `use a name of the certificate in ${named.address}`,
    'permanent',
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE)$/,
    'does not accept our client certificate, or asks for one',
    `set ${named.cert} and ${named.key} to a pair that its CA signed`,
    'permanent',
  ],
  [
    /^(EPROTO|ERR_SSL_|ERR_TLS_)/,
    'does not complete the TLS handshake',
    `if it speaks plain HTTP there, drop --ssl or https://; else check ${named.address}`,
    'permanent',
  ],
];
