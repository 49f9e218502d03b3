/** Whatever Consul says in whatever order: no change without a change, and never a hasty empty value. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../../../src/sources/consul/query.ts';
import { answer, startQuery } from './support.ts';

type Started = Awaited<ReturnType<typeof startQuery>>;
type Step = Answer<string> | 'error' | 'denied';

const contents = fc.constantFrom('', 'a', 'b', 'ab', 'abc');
const answers = fc
  .record({
    index: fc.integer({ min: 0, max: 12 }),
    content: contents,
    leaderKnown: fc.boolean(),
    lastContact: fc.constantFrom(0, 10, 60_000),
  })
  .map(({ index, content, ...more }) => answer(index, content, more));
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: answers }, fc.constantFrom<Step>('error', 'denied')),
  { maxLength: 40 },
);
const quickly = { backoff: { first: 1, longest: 1 } };

test('onChange means a changed value, and the value is the last confirmed answer', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const started = await startQuery(quickly);
      const { query, clock, changes } = started;
      let before: Answer<string> | undefined;
      for (const step of sequence) before = await take(started, step, before);
      expect(changes.every((value, at) => value !== changes[at - 1])).toBe(true);
      expect(changes.at(-1)).toBe(query.value);
      query.close();
      expect(clock.sleeping).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** Returns the answer that was given, if one was; else the one before. */
async function take({ query, question, clock }: Started, step: Step, before: Answer<string> | undefined) {
  await clock.advance(2_000);
  const { value, confirmedAt } = query;
  question.denial = step === 'denied' ? new Error('denied') : undefined;
  if (step === 'error') {
    await question.fail(new Error('gone'));
    expect(query).toMatchObject({ value, confirmedAt, error: new Error('gone') });
    return before;
  }
  const given = step === 'denied' ? answer(99, 'x') : step;
  await question.reply(given);
  if (query.confirmedAt === confirmedAt) expect(query.value).toBe(value);
  else expect(query).toMatchObject({ value: given.value, error: undefined });
  if (query.value === '' && value) expect(before?.value).toBe('');
  return given;
}

test('with the history of one Consul, the value ends up as that Consul has it', async () => {
  const histories = fc.array(contents, { minLength: 1, maxLength: 15 });
  const chances = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 80, maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(histories, chances, async (history, turns) => {
      const started = await startQuery(quickly);
      const last = history.length - 1;
      let now = 0;
      for (const chance of turns) {
        now = Math.min(now + (chance < 4 ? 1 : 0), last);
        await live(started, history, now, chance);
      }
      for (let quiet = 0; quiet < 3; quiet++) await live(started, history, last, 5);
      expect(started.query.value).toBe(history.at(-1));
      started.query.close();
    }),
    { numRuns: 100 },
  );
});

/** One request to a Consul whose requests fail, and whose stale answers lag behind, as chance will have it. */
async function live({ question, clock }: Started, history: readonly string[], now: number, chance: number) {
  await clock.advance(2_000);
  if (chance === 8) return question.fail(new Error('gone'));
  const lags = chance === 9 && question.pending.how.kind === 'blocking';
  const seen = Math.max(0, now - (lags ? 1 : 0));
  return question.reply(answer(seen + 10, history[seen] ?? ''));
}
