/**
 * The options of the Consul client, and their checked form.
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
  /** TLS for an address without `https://`; default false. */
  readonly ssl?: boolean | undefined;
  /** PEM files, read once at start. With `caFile`, the system's own authorities are not trusted. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The folder of the ACL keys; default `egress/acl/`. */
  readonly kvPath?: string | undefined;
  /** The folder of the ingress keys; default `ingress/acl/`. */
  readonly ingressPath?: string | undefined;
  /** The datacenter of the rules, and of services without a datacenter; default: the agent's own. */
  readonly datacenter?: string | undefined;
  /** `passing`: only instances whose checks all pass. Default `any`. */
  readonly health?: 'any' | 'passing' | undefined;
  /**
   * How long one blocking query may wait for a change, in ms; default 15 s for the rules, and 45 s for services, less
   * than the 60 s after which many proxies close connections. A Consul that hangs is noticed after this time and
   * `timeout`.
   */
  readonly wait?: number | undefined;
  /** How long Consul may take to answer, beyond `wait`, in ms; default 10 s. */
  readonly timeout?: number | undefined;
  /**
   * The most services with a blocking query, and therefore a connection, each; default 80. If there are more, they are
   * read again when the catalog changes (query-scheduler.ts). Consul resets connections beyond
   * `limits.http_max_conns_per_client` (default 200), and counts those of an ended program until their `wait` is over
   * (tried on 1.8), so there must be room for the previous run too.
   */
  readonly maxConnections?: number | undefined;
}

export interface Settings {
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly kvPath: string;
  readonly ingressPath: string;
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
    ingressPath: normalizeKvPath(options.ingressPath ?? 'ingress/acl/', named.ingressPath),
    waits: { rules: wait ?? 15_000, services: wait ?? 45_000 },
    maxConnections: options.maxConnections ?? 80,
  };
}

/**
 * Removes leading slashes and leaves one at the end. Consul redirects paths with empty or dot segments (tried).
 */
export function normalizeKvPath(path: string, option: string = named.kvPath): string {
  const trimmed = path.trim().replace(/^\/+|\/+$/g, '');
  if (trimmed.split('/').every((segment) => !['', '.', '..'].includes(segment))) return `${trimmed}/`;
  throw new ConsulError(
    `The KV path ${JSON.stringify(path)} is not a folder: use one like egress/acl/ with ${option}.`,
    { permanent: true },
  );
}
