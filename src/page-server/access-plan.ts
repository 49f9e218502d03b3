/**
 * Who may see the page: decided from the address alone, before anything is opened. An address that others can reach
 * needs TLS and a token; otherwise the page does not start.
 */
import { UserError } from '../common/errors.ts';
import type { PageConfig } from '../config/page-config.ts';

export type AccessPlan =
  /** On loopback: a link that works once is printed, unless there is a token file. */
  | { readonly kind: 'link' }
  | { readonly kind: 'token'; readonly file: string }
  /** On a unix socket: the proxy before it authenticates people. */
  | { readonly kind: 'proxy' };

export interface Files {
  readonly cert: string;
  readonly key: string;
}

/** Undefined without TLS. Throws if there is only one of the two. */
export function tlsFiles({ cert, key }: PageConfig): Files | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new UserError('TLS needs both --page-cert and --page-key');
}

export function accessPlan(config: PageConfig): AccessPlan {
  const { listen, tokenFile, isPublishedOnLoopback } = config;
  const hasTls = tlsFiles(config) !== undefined;
  if (typeof listen === 'string') {
    if (!hasTls && tokenFile === undefined) return { kind: 'proxy' };
    throw new UserError(
      'on a unix socket the proxy does TLS and authenticates people: leave out --page-cert, --page-key and --page-token-file, or listen on an address',
    );
  }
  if (isLoopback(listen.host) || isPublishedOnLoopback)
    return tokenFile === undefined ? { kind: 'link' } : { kind: 'token', file: tokenFile };
  if (hasTls && tokenFile !== undefined) return { kind: 'token', file: tokenFile };
  throw new UserError(
    `others can reach ${listen.host}, so the page needs TLS and a token there: give it --page-cert, --page-key and --page-token-file, listen on 127.0.0.1 (for example behind ssh -L), or on unix:<path> behind a proxy that authenticates people`,
  );
}

const isLoopback = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
