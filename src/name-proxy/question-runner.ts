/**
 * Takes questions of one namespace from their bytes to their answers: asks a resolver, puts grants into the kernel, and
 * responds when the kernel has them. While it is held, no grant leaves, and answers wait.
 */
import type { Answer } from '../dns/answer.ts';
import { buildQuestion } from '../dns/question.ts';
import type { Transport } from '../dns/reply.ts';
import { AskedNames } from '../features/names/asked-names.ts';
import type { Resolver } from '../features/names/decision.ts';
import {
  type NameState,
  type Received,
  type Released,
  receive,
  type Settled,
  settle,
} from '../features/names/exchange.ts';
import type { GrantElement, SentGrant } from '../features/names/grant.ts';
import type { NameLog } from '../features/names/name-log.ts';
import type { NameRule } from '../policy/name-rule.ts';
import type { NameLimits } from './limits.ts';
import type { QuestionHandler, Respond } from './question-handler.ts';
import { RateLimit } from './rate-limit.ts';
import type { NameResolver } from './resolver.ts';
import type { Turns } from './turns.ts';

export interface RunnerParts {
  /** Of the namespace, for resolvers. */
  readonly key: string;
  readonly state: NameState;
  readonly log: NameLog;
  readonly resolvers: Readonly<Record<Resolver, NameResolver>>;
  readonly limits: Pick<NameLimits, 'unanswered' | 'perSecond' | 'held' | 'refresh'>;
  readonly now: () => number;
  readonly turns: Turns;
  /** Sends grants to the kernel, and calls `then` with whether it has all of them. */
  readonly grant: (grants: readonly SentGrant[], then: (areTaken: boolean) => void) => void;
  /** Takes elements out of the kernel. */
  readonly remove: (elements: readonly GrantElement[]) => void;
  /** An error of the program. It costs the question its answer, and nothing else: a workload could have caused it. */
  readonly onDefect: (error: unknown) => void;
}

type Resolving = Extract<Received, { kind: 'resolve' }>;

interface Asked {
  readonly received: Resolving;
  readonly transport: Transport;
  readonly respond: Respond;
  /** It has no answer so far. */
  isOpen: boolean;
}

/** It waits for the end of a load. */
interface Waiting {
  readonly asked: Asked;
  readonly answer: Answer | undefined;
  readonly since: number;
}

const NOT_TAKEN = 'the kernel has not taken the grant';
const TOO_MANY = 'too many questions of the namespace are open';
const TOO_MUCH = 'the answers of the namespace are too long';
const HELD = 'the rules of the namespace took too long to load';

export class QuestionRunner {
  readonly #parts: RunnerParts;
  readonly #rate: RateLimit;
  /** Undefined: nothing is asked again. */
  readonly #asked: AskedNames | undefined;
  #waiting: Waiting[] = [];
  #isHeld = true;
  #isClosed = false;
  #unanswered = 0;
  #dropped = 0;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    const { perSecond, refresh = 0 } = parts.limits;
    this.#rate = new RateLimit(perSecond);
    this.#asked = refresh > 0 ? new AskedNames(refresh) : undefined;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Questions without an answer so far. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Messages that got no answer, as there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  readonly handle: QuestionHandler = (message, transport, respond) => {
    if (this.#isClosed) return;
    const { turns, key, limits, now } = this.#parts;
    const work = () => this.#try(() => this.#handle(message, transport, respond));
    if (this.#rate.take(now()) && turns.run(key, work, limits.unanswered)) return;
    this.#dropped++;
    respond(undefined);
  };

  #handle(message: Uint8Array, transport: Transport, respond: Respond): void {
    const { state, log, now } = this.#parts;
    const at = now();
    if (this.#isClosed) return;
    const received = receive(state, message, transport, at);
    log.received(received, at);
    if (received.kind === 'resolve') {
      if (received.decision.isFiltered) this.#asked?.asked(received.question, at);
      this.#resolve({ received, transport, respond, isOpen: true });
    } else respond(received.kind === 'reply' ? received.bytes : undefined);
  }

  /** No more grants leave until `resume`. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    for (const { asked, answer } of this.#waiting.splice(0)) this.#settle(asked, answer);
  }

  /** Fails what waits for too long, and asks again for names whose grants end. */
  tick(): void {
    if (!this.#isHeld) this.#refresh();
    const last = this.#parts.now() - this.#parts.limits.held;
    const late = this.#waiting.filter(({ since }) => since <= last);
    this.#waiting = this.#waiting.filter(({ since }) => since > last);
    for (const { asked } of late) this.#fail(asked, HELD);
  }

  /** Nothing is answered any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  #refresh(): void {
    if (this.#asked === undefined || this.#isClosed) return;
    const { state, now } = this.#parts;
    for (const question of this.#asked.due(state.grants.held(now()), now())) {
      const received = receive(state, buildQuestion({ id: 0, ...question }), 'tcp', now());
      if (received.kind === 'resolve')
        this.#resolve({ received, transport: 'tcp', respond: () => undefined, isOpen: true });
    }
  }

  #resolve(asked: Asked): void {
    const { resolvers, limits, key } = this.#parts;
    this.#unanswered++;
    if (this.#unanswered > limits.unanswered) {
      this.#dropped++;
      this.#fail(asked, TOO_MANY);
      return;
    }
    const { question, decision } = asked.received;
    resolvers[decision.at].ask(question, key).then(
      (answer) => this.#arrived(asked, answer),
      () => this.#arrived(asked, undefined),
    );
  }

  /** Apart from questions, which come before it otherwise, however many wait. */
  #arrived(asked: Asked, answer: Answer | undefined): void {
    const { turns, key } = this.#parts;
    turns.run(`${key} answers`, () => this.#deliver(asked, answer));
  }

  #deliver(asked: Asked, answer: Answer | undefined): void {
    if (this.#isClosed) return;
    // An answer of 64 KiB costs as much as 1,000 questions.
    if (!this.#rate.spend(costOf(answer, asked.received.decision.rules))) {
      this.#fail(asked, TOO_MUCH);
      return;
    }
    if (this.#isHeld) this.#waiting.push({ asked, answer, since: this.#parts.now() });
    else this.#settle(asked, answer);
  }

  #settle(asked: Asked, answer: Answer | undefined): void {
    this.#guard(asked, () => {
      const { state, log, now, grant } = this.#parts;
      const settled = settle(state, asked.received, answer, asked.transport, now());
      if (settled.send.length === 0) {
        log.settled(asked.received.question, settled, now());
        this.#respond(asked, settled.release(now()));
      } else
        grant(settled.send, (areTaken) => this.#guard(asked, () => this.#granted(asked, settled, areTaken)));
    });
  }

  #granted(asked: Asked, settled: Settled, areTaken: boolean): void {
    const { log, now } = this.#parts;
    const outcome = areTaken ? settled : { fault: NOT_TAKEN, notGranted: [] };
    log.settled(asked.received.question, outcome, now());
    this.#respond(asked, areTaken ? settled.release(now()) : settled.abandon(now()));
  }

  /** Says that the question failed. */
  #fail(asked: Asked, fault: string): void {
    this.#guard(asked, () => {
      const { state, log, now } = this.#parts;
      log.settled(asked.received.question, { fault, notGranted: [] }, now());
      const failed = settle(state, asked.received, undefined, asked.transport, now());
      this.#respond(asked, failed.release(now()));
    });
  }

  #respond(asked: Asked, { bytes, orphans }: Released): void {
    this.#end(asked);
    if (this.#isClosed) return;
    this.#parts.remove(orphans);
    asked.respond(bytes);
  }

  #end(asked: Asked): void {
    if (asked.isOpen) this.#unanswered--;
    asked.isOpen = false;
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.onDefect(error);
    }
  }

  #guard(asked: Asked, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.onDefect(error);
      this.#end(asked);
    }
  }
}

/** In questions. Each address is compared with each rule about its name, and with each prefix of that. */
const costOf = (answer: Answer | undefined, rules: readonly NameRule[]): number => {
  const perRecord = rules.reduce((sum, { prefixes }) => sum + 1 + prefixes.length / PREFIXES, 0);
  return Math.floor(((answer?.records.length ?? 0) * Math.max(1, perRecord)) / RECORDS);
};

/** So many take as long as a question. */
const RECORDS = 4;
/** So many take as long as a rule. */
const PREFIXES = 8;
