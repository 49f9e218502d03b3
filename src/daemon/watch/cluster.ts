/**
 * The hosts that publish their status in Consul, read from time to time while somebody looks.
 */
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { LiveState } from '../../live/state.ts';
import type { HostEntry } from '../../live/tables.ts';
import type { StatusPublisher } from '../../sources/consul/status-publisher.ts';
import { parseHostStatus } from '../host-status.ts';

type Hosts = LiveState['hosts'];

/** Milliseconds between two readings. */
const INTERVAL = 10_000;
/** The same after a failure: a token without the permission gets none in a moment. */
const AFTER_FAILURE = 60_000;

export interface ClusterOptions {
  readonly publisher: Pick<StatusPublisher, 'read'>;
  readonly now: () => number;
  /** The failure is logged here, at a level that nobody needs to look at. */
  readonly log: Pick<Logger, 'debug'>;
  readonly onRead: () => void;
}

export class Cluster {
  readonly #options: ClusterOptions;
  #hosts: Hosts = new Map();
  #texts: ReadonlyMap<string, string> = new Map();
  #dueAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** As last read. Begins a reading if one is due. */
  hosts(): Hosts {
    if (this.#options.now() >= this.#dueAt) this.#reading ??= this.#read();
    return this.#hosts;
  }

  async #read(): Promise<void> {
    const { publisher, now, log, onRead } = this.#options;
    try {
      this.#take(await publisher.read());
      this.#dueAt = now() + INTERVAL;
      onRead();
    } catch (error) {
      this.#dueAt = now() + AFTER_FAILURE;
      log.debug({ error: messageOf(error) }, 'the status of other hosts could not be read');
    } finally {
      this.#reading = undefined;
    }
  }

  /** A host with the same text stays the same object. */
  #take(texts: ReadonlyMap<string, string>): void {
    const isSame =
      texts.size === this.#texts.size && [...texts].every(([node, text]) => this.#texts.get(node) === text);
    if (isSame) return;
    const entries = [...texts].flatMap(([node, text]): (readonly [string, HostEntry])[] => {
      const known = this.#texts.get(node) === text ? this.#hosts.get(node) : undefined;
      const entry = known ?? parseHostStatus(text);
      return entry === undefined ? [] : [[node, entry]];
    });
    this.#hosts = new Map(entries);
    this.#texts = texts;
  }
}
