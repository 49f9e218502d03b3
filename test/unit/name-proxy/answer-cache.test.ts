import { describe, expect, it } from 'vitest';
import { RCODE, TYPE } from '../../../src/dns/codes.ts';
import { AnswerCache, DEFAULT_CACHE } from '../../../src/name-proxy/answer-cache.ts';
import { aliasRecord, dotted } from '../features/names/names.ts';
import { addressAnswer, answerOf, asked, soaRecord } from './messages.ts';

const QUESTION = asked('api.x.test');
const ADDRESS = addressAnswer('api.x.test', '192.0.2.1', 60);
/** The lifetimes in what the cache has, so many seconds later. */
const lifetimesAt = (cache: AnswerCache, seconds: number) => {
  const answer = cache.get('k', seconds * 1000);
  return answer && [...answer.records, ...(answer.soa ? [answer.soa] : [])].map(({ ttl }) => ttl);
};

const kept = (answer: Parameters<AnswerCache['put']>[2], limits = DEFAULT_CACHE) => {
  const cache = new AnswerCache(limits);
  cache.put('k', QUESTION, answer, 0);
  return cache;
};

describe('an answer', () => {
  it('is kept for its lifetime, which becomes shorter', () => {
    const cache = kept(ADDRESS);
    expect(lifetimesAt(cache, 0)).toEqual([60]);
    expect(lifetimesAt(cache, 59.9)).toEqual([1]);
    expect(lifetimesAt(cache, 60)).toBeUndefined();
    expect(cache).toMatchObject({ size: 0, bytes: 0 });
  });

  it('is kept for the shortest lifetime of its records', () => {
    const alias = aliasRecord(QUESTION.name, dotted('b.test'), TYPE.CNAME, 10);
    const cache = kept({ ...ADDRESS, records: [alias, ...addressAnswer('b.test', '192.0.2.1', 60).records] });
    expect(lifetimesAt(cache, 9)).toEqual([1, 51]);
    expect(lifetimesAt(cache, 10)).toBeUndefined();
  });

  it.each([
    ['without a lifetime', addressAnswer('api.x.test', '192.0.2.1', 0)],
    ['that failed', answerOf([], { rcode: RCODE.SERVFAIL, soa: soaRecord('test', 60, 60) })],
    ['that is truncated', answerOf([], { isTruncated: true, soa: soaRecord('test', 60, 60) })],
    ['that there is nothing, if it says not for how long', answerOf([])],
  ])('%s is not kept', (_, answer) => {
    expect(kept(answer).size).toBe(0);
  });

  it('that there is nothing is kept as its SOA says', () => {
    const nothing = (rcode: number) => kept(answerOf([], { rcode, soa: soaRecord('test', 900, 30) }));
    expect(lifetimesAt(nothing(RCODE.NXDOMAIN), 29)).toEqual([1]);
    expect(lifetimesAt(nothing(RCODE.NOERROR), 29)).toEqual([1]);
    expect(lifetimesAt(nothing(RCODE.NOERROR), 30)).toBeUndefined();
  });

  it('is kept for an hour at most', () => {
    const cache = kept(addressAnswer('api.x.test', '192.0.2.1', 0x7fff_ffff));
    expect(lifetimesAt(cache, 3_599)).toBeDefined();
    expect(lifetimesAt(cache, 3_600)).toBeUndefined();
  });
});

describe('its size', () => {
  const fill = (cache: AnswerCache, from: number, to: number) => {
    for (let index = from; index < to; index++) cache.put(`k${index}`, QUESTION, ADDRESS, 0);
  };

  it('is bounded in entries, and what was used longest ago goes', () => {
    const cache = new AnswerCache({ ...DEFAULT_CACHE, entries: 10 });
    fill(cache, 0, 10);
    expect(cache.get('k0', 1)).toBeDefined();
    fill(cache, 10, 19);
    expect(cache.size).toBe(10);
    expect(cache.get('k0', 1)).toBeDefined();
    expect(cache.get('k9', 1)).toBeUndefined();
  });

  it('is bounded in bytes', () => {
    const cache = new AnswerCache({ ...DEFAULT_CACHE, bytes: 20_000 });
    fill(cache, 0, 1_000);
    expect(cache.bytes).toBeLessThanOrEqual(20_000);
    expect(cache.size).toBeGreaterThan(10);
    const large = { ...ADDRESS, records: Array.from({ length: 100 }, () => ADDRESS.records).flat() };
    cache.put('large', QUESTION, large, 0);
    expect(cache.get('large', 1)).toBeUndefined();
    expect(cache.size).toBeGreaterThan(10);
  });

  it('counts an entry once that is put again', () => {
    const cache = kept(ADDRESS);
    const { bytes } = cache;
    cache.put('k', QUESTION, ADDRESS, 0);
    expect(cache).toMatchObject({ size: 1, bytes });
  });
});
