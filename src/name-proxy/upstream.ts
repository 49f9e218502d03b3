/**
 * Asks servers of DNS from the host's namespace, one after the other.
 */
import type { Answer } from '../dns/answer.ts';
import { RCODE } from '../dns/codes.ts';
import type { AskedQuestion } from '../dns/question.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { FairSlots } from './fair-slots.ts';
import { NameServer } from './name-server.ts';
import type { NameResolver } from './resolver.ts';

export interface UpstreamSettings {
  /** Read before each question; the same list as long as nothing has changed. */
  readonly servers: () => readonly Endpoint[];
  readonly slots: FairSlots;
  /** Milliseconds for one server; default 1,500. */
  readonly limit?: number;
}

/** So many servers are asked for a question; the same one again if there is no other. */
const ATTEMPTS = 2;
const LIMIT = 1_500;

export class UpstreamResolver implements NameResolver {
  readonly #settings: UpstreamSettings;
  readonly #servers = new Map<string, NameServer>();
  /** The list that `#keys` was made of. */
  #endpoints: readonly Endpoint[] = [];
  #keys: readonly string[] = [];
  /** The server that is asked first: the last one that did not fail. */
  #preferred = '';

  constructor(settings: UpstreamSettings) {
    this.#settings = settings;
  }

  ask(question: AskedQuestion, asker: string): Promise<Answer | undefined> {
    return this.#settings.slots.run(asker, () => this.#ask(question));
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }

  async #ask(question: AskedQuestion): Promise<Answer | undefined> {
    const keys = this.#keysInOrder();
    let failure: Answer | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const key = keys[attempt % keys.length];
      const answer = key === undefined ? undefined : await this.#servers.get(key)?.ask(question);
      if (answer === undefined) this.#avoid(key, keys);
      else if (!isFailure(answer)) return answer;
      failure = answer ?? failure;
      // The same server would say the same again.
      if (answer !== undefined && keys.length === 1) break;
    }
    return failure;
  }

  #keysInOrder(): readonly string[] {
    const endpoints = this.#settings.servers();
    if (endpoints !== this.#endpoints) this.#use(endpoints);
    const first = this.#keys.indexOf(this.#preferred);
    return first <= 0 ? this.#keys : [...this.#keys.slice(first), ...this.#keys.slice(0, first)];
  }

  #use(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    this.#keys = endpoints.map((endpoint) => this.#keyOf(endpoint));
    for (const [key, server] of this.#servers) {
      if (this.#keys.includes(key)) continue;
      server.close();
      this.#servers.delete(key);
    }
  }

  #keyOf(endpoint: Endpoint): string {
    const key = `${endpoint.address} ${endpoint.port}`;
    if (!this.#servers.has(key))
      this.#servers.set(key, new NameServer(endpoint, this.#settings.limit ?? LIMIT));
    return key;
  }

  /** The next questions go to the next server first, unless others have found that out before. */
  #avoid(key: string | undefined, keys: readonly string[]): void {
    if (key === keys[0]) this.#preferred = keys[1] ?? '';
  }
}

/** Another server may know more. */
const isFailure = ({ rcode }: Answer): boolean => rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN;
