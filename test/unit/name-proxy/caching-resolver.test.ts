import { expect, it } from 'vitest';
import type { Answer } from '../../../src/dns/answer.ts';
import { TYPE } from '../../../src/dns/codes.ts';
import { AnswerCache } from '../../../src/name-proxy/answer-cache.ts';
import { CachingResolver } from '../../../src/name-proxy/caching-resolver.ts';
import { addressAnswer, asked } from './messages.ts';

const ANSWER = addressAnswer('a.test', '192.0.2.1', 60);

const setup = ({ cache }: { readonly cache: AnswerCache | undefined } = { cache: new AnswerCache() }) => {
  let now = 0;
  let questions = 0;
  const ends: (() => void)[] = [];
  const inner = {
    ask: () => {
      questions++;
      return new Promise<Answer | undefined>((resolve) => ends.push(() => resolve(ANSWER)));
    },
    close: () => undefined,
  };
  const resolver = new CachingResolver(inner, cache, () => now);
  return {
    resolver,
    asks: () => questions,
    answer: () => {
      for (const end of ends.splice(0)) end();
    },
    wait: (ms: number) => {
      now += ms;
    },
  };
};

it('asks equal questions once while one is open, and not while the answer is kept', async () => {
  const { resolver, asks, answer, wait } = setup();
  const both = [resolver.ask(asked('a.test'), 'x'), resolver.ask(asked('a.test'), 'y')];
  expect(asks()).toBe(1);
  answer();
  expect(await Promise.all(both)).toEqual([ANSWER, ANSWER]);
  wait(59_000);
  expect((await resolver.ask(asked('a.test'), 'x'))?.records[0]?.ttl).toBe(1);
  expect(asks()).toBe(1);
  wait(1_000);
  const again = resolver.ask(asked('a.test'), 'x');
  answer();
  await again;
  expect(resolver.counts).toEqual({ asked: 2, cached: 1, shared: 1, failed: 0, waited: 0 });
});

it('asks for another type or name beside it', () => {
  const { resolver, asks } = setup();
  void resolver.ask(asked('a.test'), 'x');
  void resolver.ask(asked('a.test', TYPE.AAAA), 'x');
  void resolver.ask(asked('b.test'), 'x');
  expect(asks()).toBe(3);
});

it('asks again after nobody has answered', async () => {
  let questions = 0;
  const ask = () => {
    questions++;
    return Promise.resolve(undefined);
  };
  const inner = { ask, close: () => undefined };
  const resolver = new CachingResolver(inner, new AnswerCache(), () => 0);
  expect(await resolver.ask(asked('a.test'), 'x')).toBeUndefined();
  expect(await resolver.ask(asked('a.test'), 'x')).toBeUndefined();
  expect(questions).toBe(2);
  expect(resolver.counts.failed).toBe(2);
});

it('tells that nobody answers until somebody does, and not for ever', async () => {
  let now = 0;
  let answer: Answer | undefined;
  const inner = {
    ask: async () => {
      now += 100;
      return answer;
    },
    close: () => undefined,
  };
  const resolver = new CachingResolver(inner, undefined, () => now);
  const askThrice = async () => {
    for (let times = 0; times < 3; times++) await resolver.ask(asked('a.test'), 'x');
  };
  await resolver.ask(asked('a.test'), 'x');
  expect(resolver.isSilent).toBe(false);
  await askThrice();
  expect(resolver.isSilent).toBe(true);
  answer = { ...ANSWER, rcode: 2 };
  await resolver.ask(asked('a.test'), 'x');
  expect(resolver.isSilent).toBe(false);
  expect(resolver.counts).toMatchObject({ asked: 5, failed: 5, waited: 500 });
  answer = undefined;
  await askThrice();
  expect(resolver.isSilent).toBe(true);
  now += 601_000;
  expect(resolver.isSilent).toBe(false);
});

it('asks again after an error', async () => {
  const ask = () => Promise.reject(new Error('no'));
  const resolver = new CachingResolver({ ask, close: () => undefined }, new AnswerCache(), () => 0);
  await expect(resolver.ask(asked('a.test'), 'x')).rejects.toThrow('no');
  await expect(resolver.ask(asked('a.test'), 'x')).rejects.toThrow('no');
  expect(resolver.counts.asked).toBe(2);
});

it('keeps nothing without a cache', async () => {
  const { resolver, asks, answer } = setup({ cache: undefined });
  for (let times = 0; times < 2; times++) {
    const asking = resolver.ask(asked('a.test'), 'x');
    answer();
    await asking;
  }
  expect(asks()).toBe(2);
});
