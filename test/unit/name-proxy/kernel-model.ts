/**
 * A kernel as far as the proxy sees it: sets of a text, which datagrams change, by a clock that the test moves.
 */
import type { GrantElement } from '../../../src/features/names/grant.ts';
import type { NamesText } from '../../../src/name-proxy/names-text.ts';
import { formatPrefix } from '../../../src/net/address.ts';
import { hostOf } from '../../../src/net/special-addresses.ts';
import { GRANT_TIMEOUTS } from '../../../src/policy/name-seal.ts';
import type { ClassNumbers } from '../../../src/policy/port-classes.ts';

interface Loaded {
  readonly secret: string;
  readonly classes: ReadonlyMap<number, string>;
}

export class KernelModel {
  /** Address and class → when it ends. */
  readonly #elements = new Map<string, number>();
  #loaded: Loaded | undefined;
  /** Datagrams that it cannot take, as a set is full. */
  isFull = false;

  load({ secret, granted }: NamesText, numbers: ClassNumbers, now: number): void {
    const classes = new Map([...numbers].map(([portClass, number]) => [number, portClass]));
    this.#loaded = { secret: hex(secret), classes };
    this.#elements.clear();
    for (const one of granted)
      if (numbers.has(one.portClass)) this.#elements.set(keyOf(one), now + one.seconds * 1000);
  }

  /** Somebody has removed the rules. */
  drop(): void {
    this.#loaded = undefined;
    this.#elements.clear();
  }

  has(portClass: string, address: string, now: number): boolean {
    return (this.#elements.get(`${address} ${portClass}`) ?? 0) > now;
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  keys(now: number): readonly string[] {
    return [...this.#elements].flatMap(([key, until]) => (until > now ? [key] : []));
  }

  /** Whether a rule drops the datagram: the error EPERM. */
  take(bytes: Uint8Array, now: number): boolean {
    if (this.#loaded?.secret !== hex(bytes.subarray(0, 16))) return false;
    const [high = 0, low = 0, family = 0, command = 0, ...rest] = bytes.subarray(16);
    const number = high * 0x100 + low;
    if (number === 0xffff) return true;
    const portClass = this.#loaded.classes.get(number);
    if (portClass === undefined) return false;
    const value = rest.reduce((sum, byte) => sum * 0x100n + BigInt(byte), 0n);
    const key = keyOf({ portClass, address: hostOf(family === 4 ? 4 : 6, value) });
    if (command === 0) this.#elements.delete(key);
    else if (this.isFull && !this.#elements.has(key)) return false;
    else this.#elements.set(key, now + (GRANT_TIMEOUTS[command - 1] ?? 0) * 1000);
    return true;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const keyOf = ({ portClass, address }: GrantElement): string => `${formatPrefix(address)} ${portClass}`;
