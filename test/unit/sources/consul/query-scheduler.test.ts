/** Many blocking queries over few connections. */
import { describe, expect, test } from 'vitest';
import { Crowd } from '../../../../src/sources/consul/query-scheduler.ts';
import { answer, FakeQuestion, ManualClock, settle } from './support.ts';

const forever = new AbortController().signal;
/** Few or many, they may hang as long. */
const alike = (wait: number) => ({ few: wait, many: wait });

describe('a crowd', () => {
  test('blocks for as long as asked while there is room, and takes turns when there is none', () => {
    const crowd = new Crowd(100);
    const leave = Array.from({ length: 100 }, () => crowd.join());
    expect(crowd.wait(alike(45_000))).toBe(45_000);
    leave.push(...Array.from({ length: 300 }, () => crowd.join()));
    // A hundred at a time for two seconds each: fifty a second.
    expect(crowd.wait(alike(45_000))).toBe(2_000);
    expect(crowd.wait(alike(50))).toBe(50);
    leave.push(...Array.from({ length: 4_600 }, () => crowd.join()));
    expect(crowd.wait(alike(45_000))).toBe(2_000);
    for (const one of leave) one();
    leave[0]?.();
    crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(45_000);
  });

  test('with room for all blocks the longer the more there are: two queries a second for all together', () => {
    const crowd = new Crowd(10_000);
    const limits = { few: 45_000, many: 560_000 };
    const waitOf = (members: number) => {
      const leave = Array.from({ length: members }, () => crowd.join());
      const wait = crowd.wait(limits);
      for (const one of leave) one();
      return wait;
    };
    expect([1, 90, 91, 500, 1_120, 5_000].map(waitOf)).toEqual([
      ...[45_000, 45_000, 45_500, 250_000, 560_000, 560_000],
    ]);
  });

  test('of a few more than there is room for all have their turn within two seconds', () => {
    const crowd = new Crowd(50);
    for (let member = 0; member < 80; member += 1) crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(1_250);
  });

  test('with very little room the turns do not become shorter than a quarter of a second', () => {
    const crowd = new Crowd(2);
    for (let member = 0; member < 80; member += 1) crowd.join();
    expect(crowd.wait(alike(45_000))).toBe(250);
  });

  test('reads that do not block do not stand behind those that do', async () => {
    const crowd = new Crowd(1);
    const question = new FakeQuestion();
    const { ask } = crowd.admit(question);
    for (const index of [1n, 2n]) void ask({ kind: 'blocking', index, wait: 1 }, forever);
    void ask({ kind: 'consistent' }, forever);
    await settle();
    expect(question.asked).toEqual([{ kind: 'blocking', index: 1n, wait: 1 }, { kind: 'consistent' }]);
  });
});

describe('a crowd that is told when anything moves', () => {
  const limits = { few: 45_000, many: 560_000 };

  test('takes long turns: two queries a second for all together', () => {
    const crowd = new Crowd(80, { isAttended: () => true });
    for (let member = 0; member < 500; member += 1) crowd.join();
    expect(crowd.wait(limits)).toBe(40_000);
    expect(crowd.wait({ few: 15_000, many: 15_000 })).toBe(15_000);
    for (let member = 0; member < 4_500; member += 1) crowd.join();
    // Each has its turn within ten minutes, however many there are.
    expect(crowd.wait(limits)).toBe(8_960);
  });

  test('takes short ones while nobody would tell it', () => {
    let isAttended = true;
    const crowd = new Crowd(80, { isAttended: () => isAttended });
    for (let member = 0; member < 500; member += 1) crowd.join();
    isAttended = false;
    expect(crowd.wait(limits)).toBe(1_600);
  });

  test('says where its members are, once they take turns', () => {
    const crowd = new Crowd(2);
    const leave = ['dc2', undefined, 'dc2'].map((place) => crowd.join(place));
    expect(crowd.crowded).toEqual(new Set(['dc2', undefined]));
    leave[1]?.();
    leave[1]?.();
    expect(crowd.crowded).toEqual(new Set());
    crowd.join('dc2');
    expect(crowd.crowded).toEqual(new Set(['dc2']));
  });

  /** One slot, which the first question holds; the others wait. */
  async function queue(places: readonly (string | undefined)[]) {
    const clock = new ManualClock();
    const crowd = new Crowd(1, { isAttended: () => true, clock, random: () => 0.5 });
    const questions = places.map(() => new FakeQuestion());
    const admitted = questions.map((question, at) => crowd.admit(question, places[at]));
    const closing = places.map(() => new AbortController());
    const answers: unknown[] = [];
    const ask = (at: number) =>
      admitted[at]
        ?.ask({ kind: 'blocking', index: 10n, wait: 40_000 }, closing[at]?.signal ?? forever)
        .then(({ value }) => answers.push(value))
        .catch(() => answers.push('closed'));
    for (const at of places.keys()) {
      void admitted[at]?.ask({ kind: 'consistent' }, forever);
      await questions[at]?.reply(answer(10, 'ab'));
    }
    await clock.advance(10);
    for (const at of places.keys()) void ask(at);
    await settle();
    const waits = () =>
      questions.map(({ asked }) => asked.flatMap((how) => (how.kind === 'blocking' ? how.wait : [])));
    return { clock, crowd, questions, ask, answers, closing, waits };
  }

  test('asks those that wait for a glance, one by one, and not those that hang', async () => {
    const { clock, crowd, questions, answers, waits } = await queue([undefined, undefined, undefined]);
    expect(waits()).toEqual([[40_000], [], []]);
    crowd.ring(undefined);
    await clock.advance(20);
    expect(waits()).toEqual([[40_000], [200], []]);
    await clock.advance(20);
    expect(waits()).toEqual([[40_000], [200], [200]]);
    await questions[2]?.reply(answer(11, 'news'));
    expect(answers).toEqual(['news']);
  });

  test('asks each once for many rings, and again for one that comes afterwards', async () => {
    const { clock, crowd, questions, ask, waits } = await queue([undefined, undefined]);
    for (let ring = 0; ring < 9; ring += 1) crowd.ring(undefined);
    await clock.advance(1_000);
    await clock.advance(200);
    await questions[1]?.reply(answer(10, 'ab'));
    void ask(1);
    await clock.advance(5_000);
    expect(waits()[1]).toEqual([200]);
    crowd.ring(undefined);
    await clock.advance(20);
    expect(waits()[1]).toEqual([200, 200]);
  });

  test('asks one for whom a ring came while it was not waiting', async () => {
    const { clock, crowd, questions, ask, waits } = await queue([undefined, undefined]);
    await questions[0]?.reply(answer(10, 'ab'));
    crowd.ring(undefined);
    await settle();
    void ask(0);
    await clock.advance(20);
    expect(waits()).toEqual([[40_000, 200], [40_000]]);
  });

  test('leaves alone those of a place where nothing moved, and those that were closed', async () => {
    const { clock, crowd, answers, closing, waits } = await queue([undefined, 'dc2', undefined]);
    crowd.ring(undefined);
    closing[2]?.abort(new Error('closed'));
    await clock.advance(1_000);
    expect([waits(), answers, clock.sleeping]).toEqual([[[40_000], [], []], ['closed'], 0]);
  });

  test('of five hundred is asked within ten seconds of a ring, fifty a second', async () => {
    const { clock, crowd, waits } = await queue(Array.from({ length: 500 }, () => undefined));
    crowd.ring(undefined);
    await clock.advance(1_000);
    const asked = () => waits().flat().length - 1;
    // Sixteen at once, as these glances are never answered.
    expect(asked()).toBe(16);
    expect(clock.sleeping).toBe(1);
    await clock.advance(10_000);
    expect(clock.sleeping).toBe(0);
  });
});
