/**
 * A failed request as one sentence for a person: what was asked of which Consul, what came, what to do.
 */
import { ConsulError } from '../../common/errors.ts';
import type { Endpoint } from './address.ts';
import { evidence, type Failure, failureOf } from './failure.ts';
import { named } from './names.ts';

/** What a request was about. */
export interface Subject {
  readonly endpoint: Endpoint;
  /** As in "reading egress/acl/": `egress/acl/`. */
  readonly what: string;
  readonly datacenter: string | undefined;
  readonly token: string | undefined;
}

interface Explanation {
  /** Follows "Consul at 127.0.0.1:8500 ". */
  readonly says: string;
  /** What to do; follows a colon. */
  readonly remedy: string;
  readonly permanent?: boolean;
}

export function explain(error: unknown, subject: Subject): ConsulError {
  if (error instanceof ConsulError) return error;
  const failure = failureOf(error, subject.token);
  const { says, remedy, permanent = false } = explanation(failure, subject);
  const message = `Consul at ${subject.endpoint.label} ${says}, asked for ${subject.what}: ${remedy}.`;
  return new ConsulError(message, { cause: evidence(failure), permanent });
}

/** An answer that Consul would not give, or not to us. */
export function refusal(subject: Subject, explained: Explanation): ConsulError {
  const { says, remedy, permanent = true } = explained;
  return new ConsulError(`Consul at ${subject.endpoint.label} ${says}: ${remedy}.`, { permanent });
}

/** Nothing was heard of Consul at all: no answer in time, no connection, or one that broke. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof ConsulError && error.cause instanceof Error && !('status' in error.cause);

/** Consul answered, and will not let us read this. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ConsulError && error.permanent && !isUnanswered(error);

function explanation(failure: Failure, subject: Subject): Explanation {
  const { code = '', status, timedOut } = failure;
  if (timedOut)
    return { says: 'did not answer in time', remedy: 'check whether it hangs or the network drops packets' };
  if (status !== undefined) return ofStatus(status, failure, subject);
  const known = byCode[code] ?? (isTlsCode(code) ? brokenTls : undefined);
  if (known !== undefined) return known;
  return {
    says: `could not be reached (${failure.text || code})`,
    remedy: `check ${named.address}`,
  };
}

const unknownAuthority: Explanation = {
  says: 'has a certificate of an unknown authority',
  remedy: `give its CA file with ${named.ca}`,
  permanent: true,
};
const wantsClientCertificate: Explanation = {
  says: 'does not accept our client certificate, or asks for one',
  remedy: `set ${named.cert} and ${named.key} to a pair that its CA signed`,
  permanent: true,
};
const brokenTls: Explanation = {
  says: 'does not complete the TLS handshake',
  remedy: `if it speaks plain HTTP there, drop --ssl or https://; else check ${named.address}`,
  permanent: true,
};
const closed: Explanation = {
  says: 'closed the connection before its answer was complete',
  remedy: 'if it did not just restart, check its log, and limits.http_max_conns_per_client',
};
const unreachable: Explanation = {
  says: 'cannot be reached',
  remedy: `check ${named.address} and the network`,
};

const byCode: Readonly<Record<string, Explanation>> = {
  ECONNREFUSED: { says: 'refuses the connection', remedy: `start Consul there, or correct ${named.address}` },
  ENOENT: { says: 'has no socket there', remedy: `start Consul, or correct ${named.address}` },
  EACCES: {
    says: 'has a socket without permission for this user',
    remedy: 'give this user write permission',
  },
  ENOTFOUND: {
    says: 'has a name that does not resolve',
    remedy: `correct ${named.address}`,
    permanent: true,
  },
  EAI_AGAIN: { says: 'has a name that could not be resolved', remedy: 'check the resolver of this host' },
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ECONNRESET: closed,
  EPIPE: closed,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: { says: 'has an expired certificate', remedy: 'renew it', permanent: true },
  CERT_NOT_YET_VALID: {
    says: 'has a certificate that is not valid yet',
    remedy: 'compare the clocks of both hosts',
    permanent: true,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    says: 'has a certificate for another name',
    remedy: `use a name of the certificate in ${named.address}`,
    permanent: true,
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: wantsClientCertificate,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: wantsClientCertificate,
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': wantsClientCertificate,
};

const isTlsCode = (code: string): boolean => code === 'EPROTO' || /^ERR_(SSL|TLS)_/.test(code);

function ofStatus(status: number, { text }: Failure, { endpoint, datacenter }: Subject): Explanation {
  const quoted = text === '' ? '' : ` (${text})`;
  if (status === 403) return forbidden(quoted);
  if (status === 400 && /HTTP request to an HTTPS server/.test(text) && !endpoint.secure) {
    return {
      says: 'speaks only TLS',
      remedy: `add ${named.ssl} or write https://`,
      permanent: true,
    };
  }
  if (/No path to datacenter/i.test(text)) {
    return {
      says: `does not know the datacenter ${datacenter ?? ''}`,
      remedy: 'correct its name, or join it',
      permanent: true,
    };
  }
  if (/leader/i.test(text))
    return { says: `has no leader${quoted}`, remedy: 'check that most of its servers run' };
  if (status === 429) return { says: `accepts no more requests${quoted}`, remedy: 'raise its limits' };
  const remedy = status >= 500 ? 'check its log' : `check that ${named.address} is really Consul's HTTP API`;
  return { says: `answered ${status}${quoted}`, remedy, permanent: status < 500 };
}

const forbidden = (quoted: string): Explanation => ({
  says: `answered 403${quoted}`,
  remedy: `give a valid token that may read this, in ${named.token} or ${named.tokenFile}`,
  permanent: true,
});
