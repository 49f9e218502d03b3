/**
 * One server of DNS that is asked: over UDP, and over TCP if its answer is truncated.
 */
import { randomInt } from 'node:crypto';
import { type Answer, parseAnswer } from '../dns/answer.ts';
import { OUR_SIZE } from '../dns/edns.ts';
import { type AskedQuestion, buildQuestion } from '../dns/question.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { QuestionSocket } from './question-socket.ts';
import { askOverTcp } from './tcp-question.ts';

/** Questions from one port, so that it is worth nothing to find out which one is in use. */
const MOST_USES = 32;
const MOST_IDLE = 64;

export class NameServer {
  readonly #endpoint: Endpoint;
  readonly #limit: number;
  readonly #idle: QuestionSocket<Answer>[] = [];
  #isClosed = false;

  /** `limit`: milliseconds for an answer over UDP, and again for one over TCP. */
  constructor(endpoint: Endpoint, limit: number) {
    this.#endpoint = endpoint;
    this.#limit = limit;
  }

  /** The answer; undefined if there was none in time. */
  async ask({ name, type }: AskedQuestion): Promise<Answer | undefined> {
    const asked = { id: randomInt(0x1_0000), name, type };
    const question = buildQuestion(asked);
    const read = (message: Uint8Array): Answer | undefined => {
      const parsed = parseAnswer(message, asked);
      return 'answer' in parsed ? parsed.answer : undefined;
    };
    const socket = this.#idle.pop() ?? new QuestionSocket<Answer>(this.#endpoint);
    // Longer ones are none to our question; reading 64 KiB takes milliseconds.
    const readShort = (message: Uint8Array) => (message.length > OUR_SIZE ? undefined : read(message));
    const answer = await socket.ask(question, readShort, this.#limit);
    this.#release(socket);
    if (answer?.isTruncated !== true) return answer;
    const message = await askOverTcp(this.#endpoint, question, this.#limit);
    const whole = message && read(message);
    return whole?.isTruncated === true ? undefined : whole;
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#idle.splice(0)) socket.close();
  }

  #release(socket: QuestionSocket<Answer>): void {
    const isGood = socket.isUsable && socket.uses < MOST_USES;
    if (isGood && !this.#isClosed && this.#idle.length < MOST_IDLE) this.#idle.push(socket);
    else socket.close();
  }
}
