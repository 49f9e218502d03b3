/**
 * The live state for browsers: the stream from the controller is open while one of them is here, and a little longer, so
 * that a reload of the page does not open it anew.
 */
import { randomBytes } from 'node:crypto';
import { steadyNow } from '../common/steady-clock.ts';
import { type ClientLimits, LiveClients, type Sink } from './live-clients.ts';
import { LiveFeed } from './live-feed.ts';
import { WatchLink } from './watch-link.ts';

export interface LiveOptions {
  /** The watch socket. */
  readonly path: string;
  readonly version: string;
  readonly limits: ClientLimits;
  /** Milliseconds for which the controller is still read after the last browser. */
  readonly linger: number;
  isSession(id: string): boolean;
  /** Called with a sentence when the controller goes or comes back. */
  report(sentence: string): void;
}

/** Milliseconds. */
const BEAT = 15_000;
/** Bytes of changes that are kept for browsers that were away. */
const MOST_KEPT = 2 * 2 ** 20;

export class Live {
  readonly #clients: LiveClients;
  readonly #link: WatchLink;
  readonly #beat: NodeJS.Timeout;
  readonly #linger: number;
  #lingering: NodeJS.Timeout | undefined;

  constructor({ path, version, limits, linger, isSession, report }: LiveOptions) {
    this.#linger = linger;
    const feed = new LiveFeed({ run: randomBytes(6).toString('hex'), most: MOST_KEPT, now: Date.now });
    const link: WatchLink = new WatchLink({
      ...{ path, version, feed, random: Math.random },
      onChange: () => {
        tell();
        this.#clients.publish();
      },
    });
    const tell = reporter(feed, report);
    const isSettled = () => link.isSettled;
    this.#link = link;
    this.#clients = new LiveClients({ feed, limits, isSettled, isSession, now: steadyNow });
    this.#beat = setInterval(() => this.#clients.beat(), BEAT);
  }

  /** True while the controller's stream is open or tried. */
  get isWatching(): boolean {
    return this.#link.isOpen;
  }

  fullReason(session: string): string | undefined {
    return this.#clients.fullReason(session);
  }

  /** Returns what removes it again. */
  add(session: string, sink: Sink, lastId: string | undefined): () => void {
    clearTimeout(this.#lingering);
    this.#link.open();
    const remove = this.#clients.add(session, sink, lastId);
    return () => {
      remove();
      clearTimeout(this.#lingering);
      if (this.#clients.size === 0) this.#lingering = setTimeout(() => this.#closeIfUnused(), this.#linger);
    };
  }

  #closeIfUnused(): void {
    if (this.#clients.size === 0) this.#link.close();
  }

  close(): void {
    clearInterval(this.#beat);
    clearTimeout(this.#lingering);
    this.#clients.end();
    this.#link.close();
  }
}

/** Says once what is wrong with the link, and once that it is well again. */
function reporter(feed: LiveFeed, report: (sentence: string) => void): () => void {
  let last: string | undefined;
  return () => {
    const { reason } = feed.link;
    if (reason === last) return;
    report(reason ?? 'the controller answers again');
    last = reason;
  };
}
