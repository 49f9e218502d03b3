/**
 * The stream from the controller. It is open while somebody looks, and is tried again until then, less and less often
 * while the controller is away.
 */
import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { delay } from '../common/backoff.ts';
import { UserError } from '../common/errors.ts';
import { EventReader, type StreamEvent } from './event-stream.ts';
import type { LiveFeed } from './live-feed.ts';
import { ChangesEvent, SnapshotEvent } from './live-schema.ts';
import { type Opened, openAnswer, reasonOf } from './watch-socket.ts';

const STREAM = '/v1/live';
/** The socket is on this host, so asking costs little, and a restarted controller is soon seen. */
const BACKOFF = { first: 500, most: 4_000 } as const;
/** Milliseconds: for the beginning of an answer; without any byte, of which one comes each 15 s. */
const ANSWER_LIMIT = 10_000;
const SILENCE_LIMIT = 45_000;
const MOST_CHARACTERS = 128 * 2 ** 20;
const UNKNOWN = 'the controller sent an unknown stream; do it and the page have the same version?';

/** A stream has no end, so one that ends was cut, whichever way that shows. */
const ENDED = Object.assign(new Error('the stream has ended'), { code: 'ECONNRESET' });

export interface LinkOptions {
  readonly path: string;
  /** Of this program. */
  readonly version: string;
  readonly feed: LiveFeed;
  /** Called after the feed has changed. */
  onChange(): void;
  random(): number;
}

export class WatchLink {
  readonly #options: LinkOptions;
  #run: AbortController | undefined;
  #isSettled = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** True if it is known whether the controller answers: it has, or the last attempt failed. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  get isOpen(): boolean {
    return this.#run !== undefined;
  }

  open(): void {
    if (this.#run !== undefined) return;
    this.#run = new AbortController();
    void this.#keepTrying(this.#run.signal);
  }

  close(): void {
    this.#run?.abort();
    this.#run = undefined;
    this.#isSettled = false;
    this.#options.feed.takeLink(false);
  }

  async #keepTrying(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      const error = await this.#follow(signal, () => {
        failures = 0;
      });
      if (signal.aborted) return;
      this.#report(false, reasonOf(error, this.#options.path));
      await elapsed(delay(Math.max(1, failures), BACKOFF, this.#options.random), signal);
    }
  }

  /** Resolves with the error that has ended the stream. */
  async #follow(signal: AbortSignal, onData: () => void): Promise<unknown> {
    try {
      const opened = await openAnswer(this.#options.path, STREAM, ANSWER_LIMIT);
      await readEvents(opened, signal, (event) => {
        this.#take(event);
        onData();
      });
      return ENDED;
    } catch (error) {
      return error;
    }
  }

  #take({ event, data }: StreamEvent): void {
    const { feed } = this.#options;
    const value = parsedJson(data);
    if (event === 'snapshot') feed.takeSnapshot(parsed(SnapshotEvent.safeParse(value)));
    else if (event === 'changes') feed.takeChanges(parsed(ChangesEvent.safeParse(value)));
    else return;
    this.#report(true, this.#otherVersion());
  }

  #otherVersion(): string | undefined {
    const theirs = this.#options.feed.state.controller.get('controller')?.version;
    const { version } = this.#options;
    if (theirs === undefined || theirs === version) return undefined;
    return `the controller has version ${theirs} and the page ${version}: run the same version of both`;
  }

  #report(isConnected: boolean, reason: string | undefined): void {
    this.#isSettled = true;
    this.#options.feed.takeLink(isConnected, reason);
    this.#options.onChange();
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(UNKNOWN, { cause: error });
  }
}

function parsed<T>(result: { readonly success: true; readonly data: T } | { readonly success: false }): T {
  if (result.success) return result.data;
  throw new UserError(UNKNOWN);
}

async function readEvents(
  { response, close }: Opened,
  signal: AbortSignal,
  take: (event: StreamEvent) => void,
): Promise<void> {
  signal.addEventListener('abort', close, { once: true });
  try {
    if (signal.aborted) return;
    if (response.statusCode !== 200) throw new UserError(`status ${response.statusCode}; ${UNKNOWN}`);
    response.setTimeout(SILENCE_LIMIT, close);
    await forEachEvent(response, take);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

async function forEachEvent(response: IncomingMessage, take: (event: StreamEvent) => void): Promise<void> {
  const reader = new EventReader(MOST_CHARACTERS);
  const decoder = new StringDecoder('utf8');
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) continue;
    for (const event of reader.read(decoder.write(part))) take(event);
  }
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
