/**
 * The facts that `doctor` collects, before their evaluation.
 */

import type { GateStatus } from '../../gate/status.ts';
import type { Permissions } from '../../sources/consul/permissions.ts';
import type { EngineInfo } from '../../sources/docker/engine.ts';

/** A fact, or the reason why it is not known. */
export type Found<T> = { readonly value: T } | { readonly error: string };

export interface Facts {
  /** Of this program. */
  readonly version: string;
  readonly platform: string;
  /** Of the kernel. */
  readonly release: string;
  readonly isRoot: boolean;
  /** The configured loader. */
  readonly loader: 'helper' | 'nsenter' | 'auto';
  /** Its name or path. */
  readonly template: string;
  /** What `nft --version` prints. */
  readonly nft: Found<string>;
  /** A table could be created in an empty namespace. */
  readonly tried: Found<true>;
  /** `max_user_namespaces`; undefined: the kernel does not report it. */
  readonly userNamespaces: number | undefined;
  readonly engine: Found<EngineInfo>;
  /** Its name. */
  readonly helperImage: Found<string>;
  /** How many ACL keys Consul has. */
  readonly keys: Found<number>;
  /** The token's permissions; undefined: ACLs are off, or Consul does not report them. */
  readonly permissions: Found<Permissions | undefined>;
  /** The version of the running controller; undefined: none answers. */
  readonly controller: Found<string> | undefined;
  readonly socket: string;
  readonly gate: Found<GateStatus>;
  /** Of the configured rules of the host; undefined: it has none. */
  readonly host: { readonly hasGuard: boolean; readonly hasForwards: boolean } | undefined;
  /** The host's own rules were turned off, and may still be loaded. */
  readonly isHostLeft: boolean;
  /** Undefined: there is no networks.json. */
  readonly networks: NetworksFacts | undefined;
  readonly names: NamesFacts;
  /** The program is installed here. */
  readonly conntrack: boolean;
  /** The host's other firewalls. */
  readonly firewalls: Firewalls;
}

/** What networks.json needs. */
export interface NetworksFacts {
  readonly path: string;
  readonly file: Found<{ readonly errors: number }>;
  /** The file is a mount of its own, which stays the old one when another takes its place. */
  readonly isMountedAlone: boolean;
  /** The program ip is installed here. */
  readonly hasIp: boolean;
  /** This namespace forwards IPv4; undefined: not known. */
  readonly forwards: boolean | undefined;
  /** The last good one is kept on disk. */
  readonly isKept: boolean;
}

/** What rules by name need. */
export interface NamesFacts {
  /** How many the keys have, as far as known. */
  readonly rules: number;
  /** Why the options rule them out; undefined if they do not. */
  readonly unavailable: string | undefined;
  /** nsenter works here. */
  readonly nsenter: boolean;
  /** The processes or namespaces of containers are visible here; undefined: no container tells. */
  readonly seesContainers: boolean | undefined;
  /** Cgroups of version 2 are where nft finds them, and writable. */
  readonly cgroup: boolean;
  /** Those that names are asked at; empty without a rule by name. */
  readonly servers: readonly AskedServer[];
  /** Consul's, if keys have rules by name and services. */
  readonly consul: AskedServer | undefined;
}

export interface AskedServer {
  /** `127.0.0.1:53` */
  readonly address: string;
  readonly name: string;
  /** `NOERROR`, `SERVFAIL`; undefined: no answer. */
  readonly outcome: string | undefined;
}

export interface Firewalls {
  /** Names of xtables' old tables that are in use. */
  readonly legacyTables: readonly string[];
  /** Names of nft tables that are not ours, as `ip filter`. */
  readonly nftTables: Found<readonly string[]>;
  readonly firewalld: boolean;
  readonly ufw: boolean;
}
