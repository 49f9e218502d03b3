/**
 * One connection of a workload that asks over TCP: any number of questions one after the other, several at once, however
 * their bytes arrive. What it may take is bounded: it is not read while too many of its questions are open, and closed
 * when nothing comes, when a message is longer than any question, or when it does not read its answers.
 */
import type { Socket } from 'node:net';
import { framed, splitMessages } from '../dns/stream.ts';
import type { QuestionHandler } from './question-handler.ts';

export interface TcpLimits {
  /** Connections at once. */
  readonly connections: number;
  /** Open questions of a connection. */
  readonly open: number;
  /** Milliseconds for a whole question, and between two of them. */
  readonly idle: number;
}

export const DEFAULT_TCP: TcpLimits = { connections: 32, open: 16, idle: 10_000 };

/** Bytes: no question that we answer is as long. */
const LONGEST_QUESTION = 4_096;
/** Bytes of answers that were not read. */
const MOST_UNREAD = 256 * 1024;

const NOTHING = new Uint8Array(0);

export class TcpConnection {
  readonly #socket: Socket;
  readonly #handle: QuestionHandler;
  readonly #limits: TcpLimits;
  #rest: Uint8Array = NOTHING;
  #open = 0;
  #hasEnded = false;
  #isReading = false;
  #timer: NodeJS.Timeout;

  constructor(socket: Socket, handle: QuestionHandler, limits: TcpLimits) {
    this.#socket = socket;
    this.#handle = handle;
    this.#limits = limits;
    this.#timer = this.#startTimer();
    socket.on('data', (chunk) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      this.#read();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#endIfDone();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => clearTimeout(this.#timer));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Answers may come at once, and then call this again from within. */
  #read(): void {
    if (this.#isReading || this.#socket.destroyed) return;
    this.#isReading = true;
    const { messages, rest } = splitMessages(this.#rest, this.#limits.open - this.#open);
    this.#rest = rest.length === 0 ? NOTHING : rest;
    if (messages.length > 0) this.#timer = this.#startTimer();
    for (const message of messages) this.#ask(message);
    this.#isReading = false;
    if (isTooLong(this.#rest)) this.#socket.destroy();
    else if (hasWhole(this.#rest)) this.#pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    this.#endIfDone();
  }

  /** More questions are there than may be open. Others have their turn before this goes on. */
  #pause(): void {
    this.#socket.pause();
    if (this.#open < this.#limits.open) setImmediate(() => this.#read());
  }

  #ask(message: Uint8Array): void {
    this.#open++;
    // The chunk may be large, and is kept as long as a part of it.
    this.#handle(message.slice(), 'tcp', (answer) => {
      this.#open--;
      this.#answer(answer);
      if (this.#socket.isPaused()) this.#read();
      this.#endIfDone();
    });
  }

  #answer(answer: Uint8Array | undefined): void {
    if (answer === undefined || !this.#socket.writable) return;
    this.#socket.write(framed(answer));
    if (this.#socket.writableLength > MOST_UNREAD) this.#socket.destroy();
  }

  /** The workload asks no more, and has all answers. */
  #endIfDone(): void {
    if (this.#isReading) return;
    if (this.#hasEnded && this.#open === 0 && !hasWhole(this.#rest)) this.#socket.end();
  }

  #startTimer(): NodeJS.Timeout {
    clearTimeout(this.#timer);
    return setTimeout(() => this.#socket.destroy(), this.#limits.idle).unref();
  }
}

const lengthOf = (bytes: Uint8Array): number | undefined => {
  const [high, low] = bytes;
  return high === undefined || low === undefined ? undefined : high * 0x100 + low;
};

const isTooLong = (bytes: Uint8Array): boolean => (lengthOf(bytes) ?? 0) > LONGEST_QUESTION;

const hasWhole = (bytes: Uint8Array): boolean => bytes.length >= 2 + (lengthOf(bytes) ?? 0xffff);
