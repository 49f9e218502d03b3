/**
 * The calls of the Engine's API that we use, without types of the client library. Answers about a container are
 * `unknown` here; `inspect.ts` parses them.
 */
import type { Duplex, Readable } from 'node:stream';
import type { Network, NetworkId } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';

/** The version and configuration of the Engine. */
export interface EngineInfo {
  readonly version: string;
  /** `1` or `2`; undefined before 20.10. */
  readonly cgroup: string | undefined;
  readonly isRootless: boolean;
  /** `userns-remap` is on. */
  readonly remapsUsers: boolean;
  /** Images are in containerd's store. */
  readonly storesInContainerd: boolean;
  /** Where its data is, on its host. */
  readonly rootDir: string;
  readonly defaultRuntime: string | undefined;
  /** The paths of the OCI runtimes that have one, by name. */
  readonly runtimes: ReadonlyMap<string, string>;
}

/** Every method fails with an `EngineError`. Ids may be full, or a prefix that is unique. */
export interface Engine {
  /** The address, for messages: `unix:///var/run/docker.sock`. */
  readonly address: string;
  info(): Promise<EngineInfo>;
  /** The containers that run, are paused, or wait for a restart. */
  running(): Promise<readonly RunningContainer[]>;
  /** `withServices`: also what it says of its services. */
  inspect(id: string, withServices?: boolean): Promise<unknown>;
  networks(): Promise<readonly Network[]>;
  /** Undefined: there is none by this id. */
  network(id: NetworkId): Promise<Network | undefined>;
  /** Creates a network from a body of `POST /networks/create`. */
  createNetwork(body: object): Promise<void>;
  /** Attaches a container by a body of `POST /networks/<id>/connect`. `network`: its id or name. */
  connectNetwork(network: string, body: object): Promise<void>;
  /** JSON lines of the events that concern networks or a container's network, from `since` (seconds since the epoch). */
  events(since: number): Promise<Readable>;
  /** A tar archive of one path, links not followed. */
  archive(id: string, path: string): Promise<Readable>;

  /** Creates a container from a body of `POST /containers/create`; returns its id. */
  create(name: string, body: object): Promise<string>;
  /** Stdout and stderr interleaved in the Engine's frames; what is written goes to stdin. */
  attach(id: string, stdin: boolean): Promise<Duplex>;
  start(id: string): Promise<void>;
  /** Resolves with the exit code once the container does not run, which may be already. */
  wait(id: string, limit: number): Promise<number>;
  /** Kills it if need be; a container that is gone or going is fine. */
  remove(id: string): Promise<void>;
  /** All containers, in whatever state; `label`: those that have it. */
  all(label?: string): Promise<readonly LabelledContainer[]>;

  /** `undefined`: the Engine does not have the image. `platform`: of several under one name (API 1.49). */
  image(name: string, platform?: Platform): Promise<ImageSummary | undefined>;
  pull(name: string): Promise<void>;
  /** Creates an empty image with this name. */
  importEmpty(name: string): Promise<void>;
  /** The names of images with a label; images without a name are left out. */
  namesOfImages(label: string): Promise<readonly string[]>;
  /** Removes a name, and with the last name the image. Fails if a container uses the image. */
  removeImage(name: string): Promise<void>;
  /** Ends connections that are still open. */
  close(): void;
}

export interface RunningContainer {
  readonly id: string;
  /** The digest of its entry in the list: changes with its name, labels, state and networks. */
  readonly digest: string;
  /** True if it was started two minutes ago or before. */
  readonly isSettled: boolean;
}

export interface LabelledContainer {
  readonly id: string;
  /** With a slash in front; more than one where other containers link to it. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Those that it was given, whether it runs or not: it cannot start without them. */
  readonly staticAddresses?: readonly { readonly network: NetworkId; readonly address: Prefix }[];
}

/** The platform in the Engine's answer about a container, and in a request for an image. */
export type Platform = Readonly<Record<string, unknown>>;

export interface ImageSummary {
  readonly id: string;
  /** The digest of the one among several under one name, where images are kept in containerd's store. */
  readonly manifest?: string | undefined;
  readonly environment?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}
