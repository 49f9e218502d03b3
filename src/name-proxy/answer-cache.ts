/**
 * Answers of resolvers, for as long as their records may be kept. Its size is bounded in entries and in bytes: what was
 * used longest ago makes room.
 */
import { type Answer, negativeTtl } from '../dns/answer.ts';
import { RCODE } from '../dns/codes.ts';
import { nameKey } from '../dns/name.ts';
import type { AskedQuestion } from '../dns/question.ts';
import type { DnsRecord } from '../dns/record.ts';

export interface CacheLimits {
  readonly entries: number;
  /** Of memory, estimated. */
  readonly bytes: number;
  /** Seconds for which an answer is kept at most. */
  readonly seconds: number;
}

export const DEFAULT_CACHE: CacheLimits = { entries: 10_000, bytes: 8 * 2 ** 20, seconds: 3_600 };

interface Entry {
  readonly answer: Answer;
  readonly bytes: number;
  /** Milliseconds. */
  readonly since: number;
  readonly until: number;
}

/** Equal for questions with the same answer. */
export const questionKey = ({ name, type }: AskedQuestion): string => `${type} ${nameKey(name)}`;

export class AnswerCache {
  readonly #limits: CacheLimits;
  /** The one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  /** Goes on where it was: a new one would pass all places of removed entries again, for each answer. */
  #oldest = this.#entries.keys();
  #bytes = 0;

  constructor(limits: CacheLimits = DEFAULT_CACHE) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** With the lifetimes that remain. */
  get(key: string, now: number): Answer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.until <= now) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return aged(entry.answer, Math.floor((now - entry.since) / 1000));
  }

  /** Keeps the answer, if it may be kept. */
  put(key: string, question: AskedQuestion, answer: Answer, now: number): void {
    const seconds = Math.min(lifetimeOf(question, answer), this.#limits.seconds);
    const bytes = sizeOf(key, answer);
    this.#remove(key);
    if (seconds <= 0 || bytes > this.#limits.bytes) return;
    this.#entries.set(key, { answer, bytes, since: now, until: now + seconds * 1000 });
    this.#bytes += bytes;
    while (this.#entries.size > this.#limits.entries || this.#bytes > this.#limits.bytes)
      this.#removeOldest();
  }

  #removeOldest(): void {
    const { done, value } = this.#oldest.next();
    if (done === true) this.#oldest = this.#entries.keys();
    else this.#remove(value);
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Seconds; 0 for an answer that must not be kept. */
const lifetimeOf = ({ type }: AskedQuestion, { rcode, isTruncated, records, soa }: Answer): number => {
  if (isTruncated || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)) return 0;
  const least = records.reduce((ttl, record) => Math.min(ttl, record.ttl), Number.POSITIVE_INFINITY);
  if (rcode === RCODE.NOERROR && records.some((record) => record.type === type)) return least;
  // That there is nothing may be kept only if somebody says for how long.
  return soa === undefined ? 0 : Math.min(least, negativeTtl(soa));
};

const aged = (answer: Answer, seconds: number): Answer => {
  if (seconds === 0) return answer;
  const older = (record: DnsRecord, ttl: number): DnsRecord => ({
    ...record,
    ttl: Math.max(0, ttl - seconds),
  });
  const { records, soa } = answer;
  return {
    ...answer,
    records: records.map((record) => older(record, record.ttl)),
    soa: soa && older(soa, negativeTtl(soa)),
  };
};

/** Bytes that V8 takes for an object with its fields, or for an array of bytes. */
const OBJECT = 100;

const sizeOf = (key: string, { records, soa }: Answer): number =>
  [...records, ...(soa === undefined ? [] : [soa])].reduce(
    (sum, record) => sum + sizeOfRecord(record),
    3 * OBJECT + key.length,
  );

const sizeOfRecord = ({ name, data, target = [] }: DnsRecord): number =>
  [...name, ...target].reduce((sum, label) => sum + 20 + label.length, 4 * OBJECT + data.length);
