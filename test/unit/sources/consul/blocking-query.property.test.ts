/** Whatever Consul says in whatever order: no change without a change, and never a hasty empty value. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QueryResult } from '../../../../src/sources/consul/query.ts';
import { result, startQuery } from './support.ts';

type Started = Awaited<ReturnType<typeof startQuery>>;
type Step = QueryResult<string> | 'error' | 'denied';

const contents = fc.constantFrom('', 'a', 'b', 'ab', 'abc');
const answers = fc
  .record({
    index: fc.integer({ min: 0, max: 12 }),
    content: contents,
    leaderKnown: fc.boolean(),
    lastContact: fc.constantFrom(0, 10, 60_000),
  })
  .map(({ index, content, ...more }) => result(index, content, more));
const steps = fc.array(
  fc.oneof({ weight: 8, arbitrary: answers }, fc.constantFrom<Step>('error', 'denied')),
  { maxLength: 40 },
);
const quickly = { longestPause: 1 };

test('onChange means a changed value, and the value is the last confirmed answer', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const started = await startQuery(quickly);
      const { watch, clock, changes } = started;
      let before: QueryResult<string> | undefined;
      for (const step of sequence) before = await take(started, step, before);
      expect(changes.every((value, at) => value !== changes[at - 1])).toBe(true);
      expect(changes.at(-1)).toBe(watch.value);
      watch.close();
      expect(clock.sleeping).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** Returns the answer that was given, if one was; else the one before. */
async function take({ watch, query, clock }: Started, step: Step, before: QueryResult<string> | undefined) {
  await clock.advance(2_000);
  const { value, confirmedAt } = watch;
  query.denial = step === 'denied' ? new Error('denied') : undefined;
  if (step === 'error') {
    await query.fail(new Error('gone'));
    expect(watch).toMatchObject({ value, confirmedAt, error: new Error('gone') });
    return before;
  }
  const given = step === 'denied' ? result(99, 'x') : step;
  await query.reply(given);
  if (watch.confirmedAt === confirmedAt) expect(watch.value).toBe(value);
  else expect(watch).toMatchObject({ value: given.value, error: undefined });
  if (watch.value === '' && value) expect(before?.value).toBe('');
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
      expect(started.watch.value).toBe(history.at(-1));
      started.watch.close();
    }),
    { numRuns: 100 },
  );
});

/** One request to a Consul whose requests fail, and whose stale answers lag behind, as chance will have it. */
async function live({ query, clock }: Started, history: readonly string[], now: number, chance: number) {
  await clock.advance(2_000);
  if (chance === 8) return query.fail(new Error('gone'));
  const lags = chance === 9 && query.pending.mode.kind === 'blocking';
  const seen = Math.max(0, now - (lags ? 1 : 0));
  return query.reply(result(seen + 10, history[seen] ?? ''));
}
