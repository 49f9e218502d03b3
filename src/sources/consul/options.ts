/**
 * How Consul is reached and what is read there: options as people give them, checked and in one form.
 */
import { ConsulError } from '../../common/errors.ts';
import { type Endpoint, parseAddress } from './address.ts';
import { named } from './names.ts';
import { readTlsFiles, type TlsFiles } from './tls.ts';

export interface ConsulOptions {
  /** `host:port`, `http(s)://host:port`, `unix:///path`; IPv6 in brackets; port 8500 where none is given. */
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
   * How long one blocking query may hang without news, in ms; default 15 s for the rules, and for services
   * 45 s, below the 60 s after which many proxies hang up. With more than 90 services it is half a second
   * for each, up to 560 s (with the sixteenth that Consul adds, below its maximum of ten minutes), so that
   * all together ask twice a second; services of another datacenter stay at 45 s. What is given here holds
   * for all, however many. A frozen Consul is noticed after the time for rules and `timeout`, so after
   * 26 s, and services count as lost one `timeout` later (canary.ts); a token that was revoked is noticed
   * within the time for rules.
   */
  readonly wait?: number | undefined;
  /** How long Consul may take to answer, beyond `wait`, in ms; default 10 s. */
  readonly timeout?: number | undefined;
  /**
   * Connections for blocking queries on services; default 80. More services than this take turns (crowd.ts):
   * a change of one is known within two seconds up to 100 services, and beyond after one for each fifty.
   * Consul resets connections beyond its `limits.http_max_conns_per_client`, 200 unless set, and goes
   * on counting those of a program that has ended until their `wait` is over (tried on 1.8): so there
   * must be room for a former run of this program too.
   */
  readonly maxConnections?: number | undefined;
}

/** How long blocking queries hang, in ms. */
export interface Waits {
  readonly rules: number;
  readonly services: number;
  /** The most for a service that is one of many. */
  readonly manyServices: number;
}

export interface Settings {
  readonly endpoint: Endpoint;
  readonly tls: TlsFiles;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly kvPath: string;
  readonly datacenter: string | undefined;
  readonly health: 'any' | 'passing';
  readonly waits: Waits;
  readonly timeout: number;
  readonly maxConnections: number;
}

export function settingsOf(options: ConsulOptions): Settings {
  const endpoint = parseAddress(options.address, options.ssl ?? false);
  return {
    endpoint,
    tls: endpoint.secure ? readTlsFiles(options) : {},
    token: options.token,
    tokenFile: options.tokenFile,
    kvPath: normalizeKvPath(options.kvPath ?? 'egress/acl/'),
    datacenter: options.datacenter,
    health: options.health ?? 'any',
    waits: waitsOf(options.wait),
    timeout: options.timeout ?? 10_000,
    maxConnections: options.maxConnections ?? 80,
  };
}

const waitsOf = (wait: number | undefined): Waits => ({
  rules: wait ?? 15_000,
  services: wait ?? 45_000,
  manyServices: wait ?? 560_000,
});

/**
 * No leading slash, one trailing slash. Consul redirects paths with empty or dot segments elsewhere
 * (tried), so they are refused.
 */
export function normalizeKvPath(path: string): string {
  const trimmed = path.trim().replace(/^\/+|\/+$/g, '');
  if (trimmed === '' || trimmed.split('/').some((segment) => ['', '.', '..'].includes(segment))) {
    throw new ConsulError(
      `The KV path ${JSON.stringify(path)} is not a folder: use one like egress/acl/ with ${named.kvPath}.`,
      { permanent: true },
    );
  }
  return `${trimmed}/`;
}
