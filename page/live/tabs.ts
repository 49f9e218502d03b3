/**
 * One stream for all tabs of a browser. With HTTP/1.1 a browser opens six connections to a host at most: a seventh tab with
 * a stream of its own would not even load. The tab that holds a lock has the stream and passes it on; the others wait for
 * the lock, which is free when that tab is closed or hidden. Where there are no locks (neither TLS nor loopback), each tab
 * has its own stream.
 */
import type { Message } from './fold.ts';

export interface TabEvents {
  /** This tab must open the stream. */
  openStream(): void;
  /** From the tab that has it. */
  receive(message: Message): void;
  /** What a tab must know that has just come. */
  allKnown(): readonly Message[];
  /** Another tab has the stream, while this one wants none. */
  leaderFound(): void;
}

type TabMessage =
  | { readonly kind: 'join'; readonly tab: string }
  /** Its stream has begun to bring something. */
  | { readonly kind: 'live' }
  /** `tab`: for this one alone. */
  | { readonly kind: 'messages'; readonly messages: readonly Message[]; readonly tab?: string };

const NAME = 'egresstrator-live';
/** Milliseconds after which a tab has a stream of its own, if the one with the lock says nothing. */
const TIMEOUT = 15_000;

export class Tabs {
  readonly #events: TabEvents;
  readonly #tab = `${Math.random()}`;
  readonly #channel = 'locks' in navigator ? new BroadcastChannel(NAME) : undefined;
  #leaving: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLeader = false;
  #hasAnnounced = false;
  /** Nothing is told to nobody: a copy of a large state takes a tenth of a second. */
  #hasOthers = false;
  /** Changes mean nothing before it has what they change. */
  #hasJoined = false;

  constructor(events: TabEvents) {
    this.#events = events;
    this.#channel?.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => this.#receive(data));
  }

  join(): void {
    this.leave();
    if (this.#channel === undefined) this.#events.openStream();
    else this.#joinAt(this.#channel);
  }

  #joinAt(channel: BroadcastChannel): void {
    this.#leaving = new AbortController();
    this.#waitForLock(this.#leaving.signal);
    this.#timer = setTimeout(() => this.#events.openStream(), TIMEOUT);
    channel.postMessage({ kind: 'join', tab: this.#tab } satisfies TabMessage);
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#leaving?.abort();
    this.#leaving = undefined;
    this.#isLeader = false;
    this.#hasAnnounced = false;
    this.#hasOthers = false;
    this.#hasJoined = false;
  }

  /** The stream brings something: who waits, joins. */
  announce(): void {
    if (!this.#isLeader || this.#hasAnnounced) return;
    this.#hasAnnounced = true;
    this.#channel?.postMessage({ kind: 'live' } satisfies TabMessage);
  }

  /** Does nothing in a tab that has not the lock. */
  tell(messages: readonly Message[], tab?: string): void {
    if (!this.#isLeader || !this.#hasOthers) return;
    this.#channel?.postMessage({
      kind: 'messages',
      messages,
      ...(tab !== undefined && { tab }),
    } satisfies TabMessage);
  }

  #waitForLock(signal: AbortSignal): void {
    const hold = () => {
      if (signal.aborted) return;
      clearTimeout(this.#timer);
      this.#isLeader = true;
      this.#events.openStream();
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    navigator.locks.request(NAME, { signal }, hold).catch(() => undefined);
  }

  #receive(message: TabMessage): void {
    if (message.kind === 'join') this.#sendAll(message.tab);
    else if (this.#isLeader) return;
    else if (message.kind === 'live') this.#findLeader();
    else if (this.#leaving !== undefined && (message.tab === undefined || message.tab === this.#tab))
      this.#take(message.messages, message.tab === this.#tab);
  }

  #sendAll(tab: string): void {
    if (!this.#isLeader) return;
    this.#hasOthers = true;
    this.tell(this.#events.allKnown(), tab);
  }

  #findLeader(): void {
    if (this.#leaving === undefined) this.#events.leaderFound();
    else this.#channel?.postMessage({ kind: 'join', tab: this.#tab } satisfies TabMessage);
  }

  #take(messages: readonly Message[], isAll: boolean): void {
    if (isAll) this.#hasJoined = true;
    if (!this.#hasJoined) return;
    clearTimeout(this.#timer);
    for (const message of messages) this.#events.receive(message);
  }
}
