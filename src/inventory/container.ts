/**
 * A container as the Engine reports it, reduced to the facts about its network.
 */
import type { Attachment, PortBinding } from './network.ts';
import type { ServiceSettings } from './service-settings.ts';

export type ContainerId = string;

/** Where a container's network namespace comes from. */
export type NetworkMode =
  /**
   * Also a container without a network from Docker (`--network none`): others, such as CNI plugins, may attach one.
   */
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

/** The DNS settings of a container. */
export interface DnsConfig {
  /** The servers of `--dns`; empty if the Engine's own resolvers are used. */
  readonly servers: readonly string[];
  /** The path of the container's resolv.conf on the Engine's host. */
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
  /** The networks with the container's addresses, in the same order. */
  readonly networks: readonly Attachment[];
  /** What is published of it, as the Engine has bound it, sorted. */
  readonly ports: readonly PortBinding[];
  /** The compose project that it belongs to, as its label says. */
  readonly project?: string | undefined;
  /** What it says of its services; undefined: nobody asks. */
  readonly services?: ServiceSettings | undefined;
  /**
   * True if it is privileged, has CAP_NET_ADMIN or an equivalent, or has the Engine's socket: it can remove its rules.
   */
  readonly canBypassRules: boolean;
  /** The ways in which it could; each completes "it can remove its rules: it …". */
  readonly bypasses?: readonly string[];
  /**
   * True if it has CAP_NET_RAW, which Docker grants by default: an AF_XDP socket bypasses every rule in its namespace.
   */
  readonly hasRawSockets: boolean;
  /** The image's id, which stands for its content. */
  readonly imageId: string;
  readonly dnsConfig: DnsConfig;
  /** The `NAME=value` lines of our settings. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Read if the environment or labels have our settings; `unknown`: it was removed, or cannot be read. */
  readonly image?: ImageSettings | 'unknown';
}
