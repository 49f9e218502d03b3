/**
 * Who has logged in. A session is a random number in a cookie; it ends some time after its last use, and after a week in
 * any case. They are in memory alone: a restart ends all of them.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface SessionOptions {
  readonly most: number;
  /** Milliseconds without use, and in all. */
  readonly idle: number;
  readonly whole: number;
  /** A secret of at least 128 bits that fits into a header. */
  secret(): string;
  now(): number;
}

interface Session {
  readonly begun: number;
  used: number;
}

export class Sessions {
  readonly #options: SessionOptions;
  /** By the digest of the secret, in the order of their use. */
  readonly #sessions = new Map<string, Session>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Returns its secret. Where there are too many, the one that was used longest ago ends. */
  begin(): string {
    const secret = this.#options.secret();
    const now = this.#options.now();
    for (const [id, session] of [...this.#sessions]) if (!this.#isOpen(session)) this.#sessions.delete(id);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= this.#options.most) this.#sessions.delete(oldest);
    this.#sessions.set(digestOf(secret), { begun: now, used: now });
    return secret;
  }

  /** The session of a secret, which counts as used now; undefined if there is none. */
  find(secret: string): string | undefined {
    const id = digestOf(secret);
    return this.use(id) ? id : undefined;
  }

  /** False if it has ended. Otherwise it counts as used now. */
  use(id: string): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || !this.#isOpen(session)) return false;
    session.used = this.#options.now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return true;
  }

  #isOpen({ used, begun }: Session): boolean {
    const { idle, whole, now } = this.#options;
    return now() - used < idle && now() - begun < whole;
  }
}

/** A table that is searched by digests says nothing about secrets by the time that it takes. */
const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** In constant time, whatever the lengths. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest());
