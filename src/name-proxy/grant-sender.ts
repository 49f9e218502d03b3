/**
 * Puts grants into the kernel by datagrams, and takes them out again (src/policy/name-seal.ts has their form). The
 * sender learns at once whether the kernel has one: then the datagram ends in the error EPERM, because a rule dropped
 * it.
 */
import { elementKey, type GrantElement, type SentGrant } from '../features/names/grant.ts';
import { aliveDatagram, grantDatagram, removeDatagram, SECRET_BYTES } from '../policy/name-seal.ts';
import type { ClassNumbers } from '../policy/port-classes.ts';
import type { GrantSocket } from './grant-socket.ts';

/** What the loaded text has: without it nothing can be granted. */
export interface LoadedSeal {
  readonly secret: Uint8Array;
  readonly numbers: ClassNumbers;
}

export class GrantSender {
  readonly #socket: Pick<GrantSocket, 'send'>;
  /** Of the text in the kernel; undefined if there is none, or its secret was seen. */
  #seal: LoadedSeal | undefined;
  /** Grants on their way, by element. */
  readonly #onTheirWay = new Map<string, { seconds: number; count: number }>();
  /** Calls of `grant` that have not ended. */
  #running = 0;
  #idle = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(socket: Pick<GrantSocket, 'send'>) {
    this.#socket = socket;
  }

  get seal(): LoadedSeal | undefined {
    return this.#seal;
  }

  use(seal: LoadedSeal | undefined): void {
    this.#seal = seal;
  }

  /** Whether a message holds the secret: then no rule has wiped it. */
  isSealed(message: Uint8Array): boolean {
    const secret = this.#seal?.secret;
    return secret !== undefined && Buffer.compare(message.subarray(0, SECRET_BYTES), secret) === 0;
  }

  /** Calls `then` once, at once or later, with whether the kernel has all of them now. */
  grant(grants: readonly SentGrant[], then: (areTaken: boolean) => void): void {
    this.#running++;
    const keys = grants.map(elementKey);
    let [left, areTaken] = [1, true];
    const end = (isTaken: boolean): void => {
      areTaken &&= isTaken;
      left--;
      if (left === 0) this.#end(keys, () => then(areTaken));
    };
    for (const [index, one] of grants.entries()) {
      left++;
      this.#grant(one, keys[index] ?? '', end);
    }
    end(true);
  }

  #end(keys: readonly string[], then: () => void): void {
    try {
      then();
    } finally {
      for (const key of keys) this.#arrived(key);
      this.#running--;
      if (this.#running === 0) {
        this.#idle.resolve();
        this.#idle = Promise.withResolvers();
      }
    }
  }

  /** Resolves when no grant is on its way. */
  async idle(): Promise<void> {
    if (this.#running > 0) await this.#idle.promise;
  }

  /** Whether the kernel has it no more. */
  async remove({ portClass, address }: GrantElement): Promise<boolean> {
    if (this.#seal === undefined) return false;
    const { secret, numbers } = this.#seal;
    const number = numbers.get(portClass);
    // Without a number the text has no set of the class.
    return number === undefined || (await this.#sent(removeDatagram(secret, number, address)));
  }

  /** Says that questions are answered; whether the kernel knows. */
  async sayAlive(): Promise<boolean> {
    return this.#seal === undefined ? false : await this.#sent(aliveDatagram(this.#seal.secret));
  }

  #grant(grant: SentGrant, key: string, end: (isTaken: boolean) => void): void {
    const seconds = this.#secondsOf(grant, key);
    const number = this.#seal?.numbers.get(grant.portClass);
    if (this.#seal === undefined || number === undefined) end(false);
    else this.#send(grantDatagram(this.#seal.secret, number, grant.address, seconds), end);
  }

  /** The last datagram decides, so of several at once the shorter one must not end the longer one. */
  #secondsOf(grant: SentGrant, key: string): number {
    const other = this.#onTheirWay.get(key);
    const seconds = Math.max(grant.timeout, other?.seconds ?? 0);
    this.#onTheirWay.set(key, { seconds, count: (other?.count ?? 0) + 1 });
    return seconds;
  }

  #arrived(key: string): void {
    const one = this.#onTheirWay.get(key);
    if (one === undefined) return;
    one.count--;
    if (one.count === 0) this.#onTheirWay.delete(key);
  }

  /** The socket is closed: nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
  }

  #sent(datagram: Uint8Array): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#send(datagram, resolve);
    return promise;
  }

  /** Calls `end` with whether a rule has dropped it. */
  #send(datagram: Uint8Array, end: (isDropped: boolean) => void): void {
    if (this.#isClosed) end(false);
    else this.#socket.send(datagram, (error) => end(isDropped(error)));
  }
}

const isDropped = (error: Error | null): boolean =>
  error !== null && 'code' in error && error.code === 'EPERM';
