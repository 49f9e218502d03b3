/**
 * How Consul is reached and what is read there: options as people give them, checked and in one form.
 */
import { ConsulError } from '../../common/errors.ts';
import { type Endpoint, parseAddress } from './address.ts';
import { named } from './setting-names.ts';
import { readTlsFiles, type TlsFiles } from './tls.ts';

export interface ConsulOptions {
  /** `host:port`, `http(s)://host:port`, `unix:///path`; IPv6 in brackets; the default port is 8500. */
  readonly address: string;
  readonly token?: string | undefined;
  /** Read again for every request, so a new token needs no restart. Wins over `token`. */
  readonly tokenFile?: string | undefined;
  /** TLS for an address that does not say `https://`; default false. */
  readonly ssl?: boolean | undefined;
  /** PEM files, read once at start. With `caFile`, the system's own authorities are not trusted. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The folder of the ACL keys; default `egress/acl/`. */
  readonly kvPath?: string | undefined;
  /** Where the rules are read, and services that name no datacenter; default: the agent's own. */
  readonly datacenter?: string | undefined;
  /** `passing`: only instances whose checks all pass. Default `any`. */
  readonly health?: 'any' | 'passing' | undefined;
  /**
   * How long one blocking query may wait for news, in ms; default 15 s for the rules, and 45 s for services,
   * below the 60 s after which many proxies hang up. A frozen Consul is noticed after this time and `timeout`.
   */
  readonly wait?: number | undefined;
  /** How long Consul may take to answer, beyond `wait`, in ms; default 10 s. */
  readonly timeout?: number | undefined;
  /**
   * The most services with a blocking query, and so a connection, each; default 80. More services than this
   * are read again when the catalog changes (query-scheduler.ts). Consul resets connections beyond its
   * `limits.http_max_conns_per_client`, 200 unless set, and goes on counting those of a program that has
   * ended until their `wait` is over (tried on 1.8): there must be room for the previous run too.
   */
  readonly maxConnections?: number | undefined;
}

export interface Settings {
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly kvPath: string;
  readonly datacenter: string | undefined;
  readonly health: 'any' | 'passing';
  readonly waits: { readonly rules: number; readonly services: number };
  readonly timeout: number;
  readonly maxConnections: number;
}

export function settingsOf(options: ConsulOptions): Settings {
  const { token, tokenFile, datacenter, health = 'any', wait, timeout = 10_000 } = options;
  const endpoint = parseAddress(options.address, options.ssl ?? false);
  return {
    ...{ endpoint, token, tokenFile, datacenter, health, timeout },
    tls: endpoint.secure ? readTlsFiles(options) : {},
    kvPath: normalizeKvPath(options.kvPath ?? 'egress/acl/'),
    waits: { rules: wait ?? 15_000, services: wait ?? 45_000 },
    maxConnections: options.maxConnections ?? 80,
  };
}

/** No leading slash, one trailing slash. Consul redirects paths with empty or dot segments (tried). */
export function normalizeKvPath(path: string): string {
  const trimmed = path.trim().replace(/^\/+|\/+$/g, '');
  if (trimmed.split('/').every((segment) => !['', '.', '..'].includes(segment))) return `${trimmed}/`;
  throw new ConsulError(
    `The KV path ${JSON.stringify(path)} is not a folder: use one like egress/acl/ with ${named.kvPath}.`,
    { permanent: true },
  );
}
