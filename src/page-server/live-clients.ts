/**
 * The browsers that have a stream. Nothing is queued for one that reads slowly: it is left alone until it has read what
 * it was sent, and then gets the changes that are kept, or a new snapshot. So it costs at most one event, which all
 * share, and nobody waits for it.
 */
import { HEARTBEAT } from './event-stream.ts';
import type { Link, LiveFeed } from './live-feed.ts';

/** The way to one browser. */
export interface Sink {
  /** False: it is full, and `onDrain` is called when it is not any more. */
  write(data: string | Buffer): boolean;
  onDrain(listener: () => void): void;
  end(): void;
}

export interface ClientLimits {
  readonly all: number;
  readonly perSession: number;
  /** Milliseconds that a browser may read nothing of what it was sent. */
  readonly stall: number;
}

interface Client {
  readonly sink: Sink;
  readonly session: string;
  revision: number;
  link: Link | undefined;
  /** Since when it reads nothing; undefined: it can be written to. */
  fullSince: number | undefined;
}

export interface ClientsOptions {
  readonly feed: LiveFeed;
  readonly limits: ClientLimits;
  /** False while the first answer of the controller is still waited for. */
  isSettled(): boolean;
  /** False if the session has ended. A stream that is open uses its session. */
  isSession(id: string): boolean;
  now(): number;
}

export class LiveClients {
  readonly #options: ClientsOptions;
  readonly #clients = new Set<Client>();

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Why there is no room for another stream of this session. */
  fullReason(session: string): string | undefined {
    const { all, perSession } = this.#options.limits;
    if (this.#clients.size >= all)
      return `${all} streams are open, which is the most; close another tab first`;
    const own = [...this.#clients].filter((one) => one.session === session).length;
    return own < perSession
      ? undefined
      : `${perSession} streams of this login are open, which is the most; close another tab first`;
  }

  /** Returns what removes it again. `id`: the last event that it has received. */
  add(session: string, sink: Sink, id: string | undefined): () => void {
    const revision = this.#options.feed.revisionOf(id);
    const client: Client = { session, sink, revision, link: undefined, fullSince: undefined };
    this.#clients.add(client);
    sink.onDrain(() => {
      client.fullSince = undefined;
      this.#send(client);
    });
    this.#send(client);
    return () => {
      this.#clients.delete(client);
    };
  }

  /** Sends each what it does not have. */
  publish(): void {
    for (const client of this.#clients) this.#send(client);
  }

  /** Keeps streams open, and ends those of sessions that have ended, and of browsers that read nothing. */
  beat(): void {
    const { limits, now, isSession } = this.#options;
    for (const client of [...this.#clients]) {
      const isStalled = client.fullSince !== undefined && now() - client.fullSince > limits.stall;
      if (isStalled || !isSession(client.session)) this.#end(client);
      else if (client.fullSince === undefined) this.#write(client, HEARTBEAT);
    }
  }

  end(): void {
    for (const client of [...this.#clients]) this.#end(client);
  }

  #send(client: Client): void {
    const { feed, isSettled } = this.#options;
    if (client.fullSince !== undefined || !isSettled()) return;
    if (client.link !== feed.link) {
      client.link = feed.link;
      if (!this.#write(client, feed.linkText())) return;
    }
    for (const { revision, text } of feed.textsAfter(client.revision)) {
      client.revision = revision;
      if (!this.#write(client, text)) return;
    }
  }

  #write(client: Client, data: string | Buffer): boolean {
    const hasRoom = client.sink.write(data);
    if (!hasRoom) client.fullSince = this.#options.now();
    return hasRoom;
  }

  #end(client: Client): void {
    this.#clients.delete(client);
    client.sink.end();
  }
}
