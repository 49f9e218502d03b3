/**
 * Asks Docker's own resolver, from inside the namespace that it serves: it answers by where a question comes from.
 */
import { randomInt } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { type Answer, parseAnswer } from '../dns/answer.ts';
import { type AskedQuestion, buildQuestion, type NewQuestion } from '../dns/question.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import type { NameResolver } from './resolver.ts';

export const DOCKER_RESOLVER = { address: '127.0.0.11', port: 53 } as const;

interface Waiting {
  readonly asked: NewQuestion;
  readonly end: (answer: Answer | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

const LIMIT = 3_000;
const MOST_WAITING = 256;
/** Bytes of an answer, which passes no link: the addresses of about a thousand containers behind one alias. */
const MOST_BYTES = 16_384;

export class DockerResolver implements NameResolver {
  readonly #socket: Pick<DatagramSocket, 'send' | 'on'>;
  readonly #limit: number;
  /** By id. */
  readonly #waiting = new Map<number, Waiting>();

  /** `limit`: milliseconds. */
  constructor(socket: Pick<DatagramSocket, 'send' | 'on'>, limit = LIMIT) {
    this.#socket = socket;
    this.#limit = limit;
    socket.on('message', (message, from) => this.#receive(message, from));
  }

  ask({ name, type }: AskedQuestion): Promise<Answer | undefined> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    const asked = { id: this.#freeId(), name, type };
    const timer = setTimeout(() => this.#end(asked.id, undefined), this.#limit);
    this.#waiting.set(asked.id, { asked, end: resolve, timer });
    const question = buildQuestion(asked, MOST_BYTES);
    this.#socket.send(question, DOCKER_RESOLVER.port, DOCKER_RESOLVER.address, (error) => {
      if (error !== null) this.#end(asked.id, undefined);
    });
    return promise;
  }

  close(): void {
    for (const id of [...this.#waiting.keys()]) this.#end(id, undefined);
  }

  #freeId(): number {
    let id = randomInt(0x1_0000);
    while (this.#waiting.has(id)) id = randomInt(0x1_0000);
    return id;
  }

  /** Anybody in the namespace can send to our socket. */
  #receive(message: Uint8Array, { address, port }: RemoteInfo): void {
    if (address !== DOCKER_RESOLVER.address || port !== DOCKER_RESOLVER.port) return;
    const [high = 0, low = 0] = message;
    const waiting = this.#waiting.get(high * 0x100 + low);
    if (waiting === undefined) return;
    const parsed = parseAnswer(message, waiting.asked);
    // There is no socket to ask for the rest over TCP; an answer without it would hide addresses.
    if ('answer' in parsed)
      this.#end(waiting.asked.id, parsed.answer.isTruncated ? undefined : parsed.answer);
  }

  #end(id: number, answer: Answer | undefined): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.end(answer);
  }
}
