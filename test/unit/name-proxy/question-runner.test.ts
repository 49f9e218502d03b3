import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../src/dns/answer.ts';
import type { Transport } from '../../../src/dns/reply.ts';
import type { NamePolicy } from '../../../src/features/names/decision.ts';
import type { NameState } from '../../../src/features/names/exchange.ts';
import { FreshNames } from '../../../src/features/names/fresh-names.ts';
import { GrantTable } from '../../../src/features/names/grant-table.ts';
import { NameLog } from '../../../src/features/names/name-log.ts';
import { changePolicy } from '../../../src/features/names/policy-change.ts';
import { DEFAULT_NAME_LIMITS, type NameLimits } from '../../../src/name-proxy/limits.ts';
import { QuestionRunner } from '../../../src/name-proxy/question-runner.ts';
import { Turns } from '../../../src/name-proxy/turns.ts';
import { address, addressRecord, dotted, formatElement, policyOf } from '../features/names/names.ts';
import { addressAnswer, answerOf, formatAnswer, questionBytes } from './messages.ts';

const settled = () => new Promise(setImmediate);
const raise = (message: string): never => {
  throw new Error(message);
};

/** A namespace whose resolvers and kernel answer when the test says so. */
const setup = ({
  rules = ['api.x.test:tcp/443'],
  limits = {},
  policy = {},
  turns = new Turns(() => 0),
}: {
  readonly turns?: Turns;
  readonly rules?: readonly string[];
  readonly limits?: Partial<NameLimits>;
  readonly policy?: Partial<NamePolicy>;
} = {}) => {
  const at = { now: 1_000_000 };
  const state: NameState = {
    policy: policyOf(rules, policy),
    fresh: new FreshNames(),
    grants: new GrantTable(),
  };
  const log = new NameLog();
  const asked: { readonly at: string; readonly answer: (answer: Answer | undefined) => void }[] = [];
  const kernel: { readonly elements: readonly string[]; readonly end: (areTaken: boolean) => void }[] = [];
  const removed: string[] = [];
  const defects: string[] = [];
  const resolverOf = (name: string) => ({
    ask: () => {
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
      asked.push({ at: name, answer: resolve });
      return promise;
    },
    close: () => undefined,
  });
  const runner = new QuestionRunner({
    ...{ key: 'a', state, log, now: () => at.now, turns },
    limits: { ...DEFAULT_NAME_LIMITS, ...limits },
    resolvers: {
      docker: resolverOf('docker'),
      consul: resolverOf('consul'),
      upstream: resolverOf('upstream'),
    },
    grant: (grants, then) =>
      void kernel.push({
        elements: grants.map((one) => `${formatElement(one)} ${one.timeout}`),
        end: then,
      }),
    onDefect: (error) => void defects.push(String(error)),
    remove: (elements) => void removed.push(...elements.map(formatElement)),
  });
  const answers: string[] = [];
  const ask = (name: string, transport: Transport = 'udp', type: 'A' | 'AAAA' = 'A') =>
    runner.handle(questionBytes(name, 7, type), transport, (bytes) => answers.push(formatAnswer(bytes)));
  return { at, state, log, asked, kernel, removed, defects, runner, answers, ask };
};

const ANSWER = addressAnswer('api.x.test', '1.1.1.1');

describe('an answer', () => {
  it('leaves after the kernel has its grants', async () => {
    const { runner, asked, kernel, answers, ask, log } = setup();
    runner.resume();
    ask('api.x.test');
    expect(asked.map((one) => one.at)).toEqual(['upstream']);
    asked[0]?.answer(ANSWER);
    await settled();
    expect(kernel.map(({ elements }) => elements)).toEqual([['1.1.1.1 tcp/443 360']]);
    expect(answers).toEqual([]);
    kernel[0]?.end(true);
    expect(answers).toEqual(['NOERROR 1.1.1.1 60']);
    expect(runner.unanswered).toBe(0);
    expect(log.counts).toMatchObject({ asked: 1, answered: 1 });
  });

  it('fails if the kernel does not take a grant, and so does the next one', async () => {
    const { runner, asked, kernel, answers, ask, log } = setup();
    runner.resume();
    for (let times = 0; times < 2; times++) {
      ask('api.x.test');
      asked[times]?.answer(ANSWER);
      await settled();
      kernel[times]?.end(false);
    }
    expect(answers).toEqual(['SERVFAIL', 'SERVFAIL']);
    expect(log.counts).toMatchObject({ answered: 0, denied: { failed: 2 } });
  });

  it('leaves at once if all is granted already', async () => {
    const { runner, asked, kernel, answers, ask } = setup();
    runner.resume();
    for (let times = 0; times < 2; times++) {
      ask('api.x.test');
      asked[times]?.answer(ANSWER);
      await settled();
      kernel[times]?.end(true);
    }
    expect(kernel).toHaveLength(1);
    expect(answers).toEqual(['NOERROR 1.1.1.1 60', 'NOERROR 1.1.1.1 60']);
  });

  it('fails if no resolver has one, or if asking goes wrong', async () => {
    const { runner, asked, answers, ask } = setup();
    runner.resume();
    ask('api.x.test');
    asked[0]?.answer(undefined);
    await settled();
    expect(answers).toEqual(['SERVFAIL']);
  });

  it('takes back what was granted for a name that went meanwhile', async () => {
    const { runner, asked, kernel, answers, ask, removed, state, at } = setup();
    runner.resume();
    ask('api.x.test');
    asked[0]?.answer(ANSWER);
    await settled();
    changePolicy(state, policyOf([]), at.now);
    kernel[0]?.end(true);
    expect(answers).toEqual(['SERVFAIL']);
    expect(removed).toEqual(['1.1.1.1 tcp/443']);
  });
});

it('answers at once what needs no resolver, and nothing that is no question', () => {
  const { runner, answers, ask, asked } = setup();
  ask('evil.test');
  runner.handle(Uint8Array.of(1, 2, 3), 'udp', (bytes) => answers.push(formatAnswer(bytes)));
  expect(answers).toEqual(['REFUSED', 'none']);
  expect(asked).toEqual([]);
});

it('asks the resolver of the name', () => {
  const { ask, asked } = setup({
    rules: ['**.service.consul:tcp/80', 'api.x.test:tcp/443'],
    policy: { localResolver: ([first]) => (first === 'db' ? 'docker' : undefined) },
  });
  for (const name of ['web.service.consul', 'db', 'api.x.test']) ask(name);
  expect(asked.map((one) => one.at)).toEqual(['consul', 'docker', 'upstream']);
});

describe('while it is held', () => {
  it('answers wait, and nothing is granted', async () => {
    const { runner, asked, kernel, answers, ask } = setup();
    ask('api.x.test');
    asked[0]?.answer(ANSWER);
    await settled();
    expect([kernel.length, answers.length]).toEqual([0, 0]);
    runner.resume();
    kernel[0]?.end(true);
    expect(answers).toEqual(['NOERROR 1.1.1.1 60']);
  });

  it('fails what has waited for three seconds', async () => {
    const { runner, asked, answers, ask, at, kernel } = setup({ rules: ['**.x.test:tcp/443'] });
    for (const [index, name] of ['a.x.test', 'b.x.test'].entries()) {
      ask(name);
      asked[index]?.answer(addressAnswer(name, '1.1.1.1'));
      await settled();
      at.now += 2_000;
    }
    runner.tick();
    expect(answers).toEqual(['SERVFAIL']);
    runner.resume();
    kernel[0]?.end(true);
    expect(answers).toEqual(['SERVFAIL', 'NOERROR 1.1.1.1 60']);
    expect(kernel).toHaveLength(1);
  });
});

describe('a flood', () => {
  it('of open questions ends in failures, and others are answered later', async () => {
    const { runner, asked, answers, ask } = setup({ limits: { unanswered: 10 } });
    runner.resume();
    for (let times = 0; times < 15; times++) ask('api.x.test');
    expect(answers).toEqual(Array.from({ length: 5 }, () => 'SERVFAIL'));
    expect(runner).toMatchObject({ unanswered: 10, dropped: 5 });
    for (const one of asked) one.answer(undefined);
    await settled();
    expect(runner.unanswered).toBe(0);
    ask('api.x.test');
    expect(asked).toHaveLength(11);
  });

  it('of long answers ends in failures, and counts as many questions', async () => {
    const { runner, asked, answers, ask, at, kernel } = setup({ limits: { perSecond: 100 } });
    runner.resume();
    const long = answerOf(
      Array.from({ length: 240 }, () => addressRecord(dotted('api.x.test'), address('9.9.9.9'))),
    );
    for (let times = 0; times < 3; times++) ask('api.x.test');
    for (const [index, answer] of [long, long, ANSWER].entries()) {
      asked[index]?.answer(answer);
      await settled();
    }
    expect(kernel.map(({ elements }) => elements[0])).toEqual(['9.9.9.9 tcp/443 360', '1.1.1.1 tcp/443 360']);
    expect(answers).toEqual(['SERVFAIL']);
    for (let times = 0; times < 40; times++) ask('evil.test');
    expect(answers.filter((one) => one === 'none')).toHaveLength(40);
    at.now += 500;
    ask('evil.test');
    expect(answers.at(-1)).toBe('REFUSED');
  });

  it.each([
    ['api.x.test', [1, 2, 3, 4, 5, 6]],
    ['api.x.test@10.0.0.0/8,10.0.0.0/9,10.0.0.0/10,10.0.0.0/11', [1, 2, 3, 4]],
  ])('counts long answers for each rule about the name and its prefixes: %s', async (name, ports) => {
    const rules = ports.map((port) => `${name}:tcp/${port}`);
    const { runner, asked, answers, ask, log, at } = setup({ rules, limits: { perSecond: 31 } });
    runner.resume();
    const records = Array.from({ length: 21 }, () => addressRecord(dotted('api.x.test'), address('9.9.9.9')));
    ask('api.x.test');
    asked[0]?.answer(answerOf(records));
    await settled();
    expect(answers).toEqual(['SERVFAIL']);
    expect(log.denied(at.now).map(({ reason }) => reason)).toEqual([
      'the answers of the namespace are too long',
    ]);
  });

  it('of messages is dropped unread', () => {
    const { runner, answers, ask, at, log } = setup({ limits: { perSecond: 100 } });
    for (let times = 0; times < 150; times++) ask('evil.test');
    expect(answers.filter((one) => one === 'none')).toHaveLength(50);
    expect(log.counts.asked).toBe(100);
    at.now += 1_000;
    ask('evil.test');
    expect(answers.at(-1)).toBe('REFUSED');
    expect(runner.dropped).toBe(50);
  });
});

it('reads a bounded number of messages in a later turn, when this one is over', () => {
  const clock = { now: 0 };
  let next = (): void => undefined;
  const turns = new Turns(
    () => clock.now++,
    (work) => {
      next = work;
    },
  );
  const { runner, ask, log } = setup({ turns, limits: { unanswered: 2 } });
  runner.resume();
  for (let times = 0; times < 4; times++) ask('other.test');
  expect([log.counts.asked, runner.dropped]).toEqual([0, 2]);
  for (let times = 0; times < 2; times++) next();
  expect([log.counts.asked, runner.dropped]).toEqual([2, 2]);
});

it('survives an error of the program, which costs one answer', async () => {
  const { runner, asked, kernel, answers, ask, defects, state } = setup({ limits: { unanswered: 1 } });
  runner.resume();
  runner.handle(questionBytes('api.x.test'), 'udp', () => {
    throw new Error('cannot be sent');
  });
  asked[0]?.answer(ANSWER);
  await settled();
  kernel[0]?.end(true);
  runner.handle(questionBytes('evil.test'), 'udp', () => {
    throw new Error('cannot be sent');
  });
  const { policy } = state;
  state.policy = { ...policy, localResolver: () => raise('no policy') };
  ask('api.x.test');
  state.policy = policy;
  expect(defects).toEqual(['Error: cannot be sent', 'Error: cannot be sent', 'Error: no policy']);
  ask('api.x.test');
  asked[1]?.answer(ANSWER);
  await settled();
  expect(answers).toEqual(['NOERROR 1.1.1.1 60']);
  expect(runner.unanswered).toBe(0);
});

it('answers nothing after it is closed', async () => {
  const { runner, asked, kernel, answers, ask } = setup({ rules: ['**.x.test:tcp/443'] });
  runner.resume();
  for (const name of ['a.x.test', 'b.x.test']) ask(name);
  asked[0]?.answer(addressAnswer('a.x.test', '1.1.1.1'));
  await settled();
  runner.close();
  kernel[0]?.end(true);
  asked[1]?.answer(addressAnswer('b.x.test', '1.1.1.1'));
  ask('a.x.test');
  await settled();
  expect(answers).toEqual([]);
});

describe('a name that is in use', () => {
  /** A minute and the grace after its question. */
  const END = 360_000;

  const used = async (limits: Partial<NameLimits>) => {
    const all = setup({ limits });
    all.runner.resume();
    all.ask('api.x.test');
    all.asked[0]?.answer(ANSWER);
    await settled();
    all.kernel[0]?.end(true);
    all.at.now += END - 15_000;
    all.runner.tick();
    return all;
  };

  it('is asked again before its grant ends, and nobody is answered', async () => {
    const { asked, kernel, answers, runner, at } = await used({ refresh: 3_600_000 });
    expect(asked.map((one) => one.at)).toEqual(['upstream', 'upstream']);
    asked[1]?.answer(ANSWER);
    await settled();
    expect(kernel[1]?.elements).toEqual(['1.1.1.1 tcp/443 360']);
    kernel[1]?.end(true);
    expect(answers).toEqual(['NOERROR 1.1.1.1 60']);
    expect(runner.unanswered).toBe(0);
    runner.tick();
    at.now += 2 * 3_600_000;
    runner.tick();
    expect(asked).toHaveLength(2);
  });

  it('is left alone without the option, and while it is held', async () => {
    expect((await used({})).asked).toHaveLength(1);
    const { asked, runner, at } = await used({ refresh: 3_600_000 });
    runner.hold();
    at.now += 12_000;
    runner.tick();
    expect(asked).toHaveLength(2);
  });
});
