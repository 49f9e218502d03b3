/**
 * A container as the Engine reports it, reduced to the facts about its network.
 */
import type { Attachment, PortBinding } from './network.ts';

export type ContainerId = string;

/** Where a container's network namespace comes from. */
export type NetworkMode =
  /** Also one that Docker gave no network (`--network none`): others may have, as CNI plugins do. */
  | { readonly kind: 'own' }
  | { readonly kind: 'host' }
  /**
   * Shares the namespace of the container `owner` (`--network container:owner`). `root`: the one that has a
   * namespace of its own, where `owner` shares one as well; as far as known.
   */
  | { readonly kind: 'container'; readonly owner: ContainerId; readonly root?: ContainerId | undefined };

/** The image's own settings; the Engine merges them into the container's. */
export interface ImageSettings {
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The DNS settings that the Engine gave a container. */
export interface DnsConfig {
  /** As `--dns` names them; empty where the Engine's own resolvers are used. */
  readonly servers: readonly string[];
  /** Where the Engine keeps the resolv.conf that it wrote for the container, on the Engine's host. */
  readonly resolvConf: string | undefined;
}

export interface Container {
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  readonly running: boolean;
  /** The process id on the host; 0 while not running. */
  readonly pid: number;
  /** RFC 3339, as the Engine says it; another start is another namespace. */
  readonly startedAt: string;
  readonly network: NetworkMode;
  /**
   * The file in which the Engine keeps the network namespace that it made, on the Engine's machine. No process
   * inside can move it. Undefined where it made none: in a namespace of another container.
   */
  readonly sandbox?: string | undefined;
  /** The networks' ids with their endpoint ids, sorted: changes when an interface comes or goes. */
  readonly attachments: readonly string[];
  /** The same with what the Engine gave it there, in the same order. */
  readonly networks: readonly Attachment[];
  /** What is published of it, as the Engine has bound it, sorted. */
  readonly ports: readonly PortBinding[];
  /** Privileged, with CAP_NET_ADMIN or an equivalent, or with the Engine's socket: it can remove its rules. */
  readonly canUndoRules: boolean;
  /** By what it could; each completes "it can remove its rules: it …". */
  readonly bypasses?: readonly string[];
  /** Holds CAP_NET_RAW, as Docker gives by default: an AF_XDP socket gets round every rule in its namespace. */
  readonly hasRawSockets: boolean;
  /** The image's id, which stands for its content. */
  readonly imageId: string;
  readonly dnsConfig: DnsConfig;
  /** `NAME=value`, as the Engine says it, of what speaks of egresstrator. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Asked for where environment or labels speak of egresstrator; `unknown`: it is gone, or cannot be read. */
  readonly image?: ImageSettings | 'unknown';
}
