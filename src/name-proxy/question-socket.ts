/**
 * A UDP socket that asks one server. The kernel chooses its port, and it is connected: nobody else's datagrams arrive.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../net/endpoint.ts';

/** What the socket waits for. */
interface Waiting<T> {
  readonly read: (message: Uint8Array) => T | undefined;
  readonly end: (value: T | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

export class QuestionSocket<T> {
  readonly #socket: Socket;
  readonly #ready: Promise<void>;
  #waiting: Waiting<T> | undefined;
  #uses = 0;
  #isBroken = false;

  constructor({ address, port }: Endpoint) {
    this.#socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#socket.unref();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ready = promise;
    // Also if no route leads to the server: then it never connects.
    this.#socket.on('error', () => {
      this.#break();
      resolve();
    });
    this.#socket.on('connect', resolve);
    this.#socket.on('message', (message) => {
      const value = this.#waiting?.read(message);
      if (value !== undefined) this.#end(value);
    });
    this.#socket.connect(port, address);
  }

  /** Questions so far. */
  get uses(): number {
    return this.#uses;
  }

  /** Whether it can ask another one. */
  get isUsable(): boolean {
    return !this.#isBroken && this.#waiting === undefined;
  }

  /**
   * Sends one question, and returns the first answer that `read` accepts; undefined after so many milliseconds, or if
   * nobody is there. Answers that it does not accept are ignored: they may be forged.
   */
  ask(
    question: Uint8Array,
    read: (message: Uint8Array) => T | undefined,
    limit: number,
  ): Promise<T | undefined> {
    this.#uses++;
    const send = () => this.#send(question, read, limit);
    return this.#uses === 1 ? this.#ready.then(send) : send();
  }

  close(): void {
    this.#break();
  }

  #send(
    question: Uint8Array,
    read: (message: Uint8Array) => T | undefined,
    limit: number,
  ): Promise<T | undefined> {
    if (this.#isBroken) return Promise.resolve(undefined);
    const { promise, resolve: end } = Promise.withResolvers<T | undefined>();
    // A late answer to this question must not meet the next one.
    const timer = setTimeout(this.#break, limit);
    this.#waiting = { read, end, timer };
    this.#socket.send(question, this.#onSent);
    return promise;
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#break();
  };

  readonly #break = (): void => {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#socket.close();
    this.#end(undefined);
  };

  #end(value: T | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    waiting?.end(value);
  }
}
