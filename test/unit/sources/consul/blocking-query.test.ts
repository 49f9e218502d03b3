/** The loop of blocking queries: what it asks, what it believes, what it keeps. */
import { describe, expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import { answer, settle, startQuery } from './support.ts';

const consistent = { kind: 'consistent' };
const stale = { kind: 'stale' };
const blocking = (index: bigint) => ({ kind: 'blocking', index, wait: 45_000 });

/** Has read `ab` at index 10 and blocks on it. */
async function settled(options: Parameters<typeof startQuery>[0] = {}) {
  const started = await startQuery(options);
  await started.reply(answer(10, 'ab'));
  await started.clock.advance(1_000);
  return started;
}

describe('reading', () => {
  test('reads at once and consistently, then blocks on the index', async () => {
    const { question, query, changes, clock } = await startQuery();
    expect(query.value).toBeUndefined();
    expect(question.asked).toEqual([consistent]);
    await question.reply(answer(10, 'ab'));
    expect(changes).toEqual(['ab']);
    await clock.advance(100);
    expect(question.asked).toEqual([consistent, blocking(10n)]);
  });

  test('blocks for a random time first, and for the whole once nothing moves', async () => {
    const { question, reply, clock } = await settled({ backoff: { random: () => 0 } });
    expect(question.asked.at(-1)).toEqual({ ...blocking(10n), wait: 22_500 });
    await reply(answer(10, 'ab'));
    await clock.advance(1_000);
    expect(question.asked.at(-1)).toEqual(blocking(10n));
    await reply(answer(11, 'abc'));
    await clock.advance(1_000);
    expect(question.asked.at(-1)).toEqual({ ...blocking(11n), wait: 22_500 });
  });

  test('an empty first answer is a value, and a change', async () => {
    const { query, changes, reply } = await startQuery();
    await reply(answer(1, ''));
    expect(query.value).toBe('');
    expect(changes).toEqual(['']);
  });

  test('an index that moves without a change calls nobody, but confirms', async () => {
    const { query, changes, reply, clock } = await settled();
    await clock.advance(5_000);
    await reply(answer(11, 'ab'));
    expect(changes).toEqual(['ab']);
    expect(query.confirmedAt).toBe(clock.time);
  });

  test('blocks on 1 where Consul says 0, for index 0 does not block', async () => {
    const { question, reply, clock } = await startQuery();
    await reply(answer(0, 'ab'));
    await clock.advance(100);
    expect(question.asked.at(-1)).toEqual(blocking(1n));
  });
});

describe('answers that look wrong are read again, consistently', () => {
  const wrong = {
    'an index that went backwards': answer(9, 'abc'),
    'other content under the same index': answer(10, 'abc'),
    'a server without a leader': answer(11, 'abc', { leaderKnown: false }),
    'a server that has not heard of its leader': answer(11, 'abc', { lastContact: 5_001 }),
  };
  test.each(Object.entries(wrong))('%s', async (_name, suspicious) => {
    const { question, query, reply, clock } = await settled();
    await reply(suspicious);
    expect(query.value).toBe('ab');
    await clock.advance(500);
    expect(question.asked.at(-1)).toEqual(consistent);
    await reply(answer(9, 'abcd'));
    expect(query.value).toBe('abcd');
    await clock.advance(500);
    expect(question.asked.at(-1)).toEqual(blocking(9n));
  });

  test('nothing where there was something, when the second answer is as empty', async () => {
    const { question, query, changes, reply, clock } = await settled();
    await reply(answer(11, ''));
    expect(query.value).toBe('ab');
    await clock.advance(500);
    expect(question.asked.at(-1)).toEqual(consistent);
    await reply(answer(11, ''));
    expect(changes).toEqual(['ab', '']);
    expect(query.error).toBeUndefined();
  });

  test('nothing where there was something, when the second answer denies it', async () => {
    const { query, changes, reply } = await settled();
    await reply(answer(11, ''));
    await reply(answer(12, 'ab'));
    expect(changes).toEqual(['ab']);
    expect(query.error).toBeUndefined();
  });

  test('after an error, two answers must be empty, the second a consistent one', async () => {
    const { question, query, reply } = await settled();
    await question.fail(new Error('gone'));
    await reply(answer(11, ''));
    expect(query.value).toBe('ab');
    await reply(answer(11, ''));
    expect(query.value).toBe('');
    expect(question.asked.slice(2, 4)).toEqual([stale, consistent]);
  });

  test('an error between two empty answers makes the second the first', async () => {
    const { question, query, reply, clock } = await settled();
    await reply(answer(11, ''));
    await clock.advance(1_000);
    await question.fail(new Error('gone'));
    await reply(answer(11, ''));
    expect(query.value).toBe('ab');
  });
});

describe('a Consul that has lost its history', () => {
  async function restartedEmpty(options: Parameters<typeof startQuery>[0] = {}) {
    const started = await settled(options);
    await started.question.fail(new ConsulError('gone'));
    await started.reply(answer(5, ''));
    await started.reply(answer(5, ''));
    return started;
  }

  test('is not believed to have nothing: the value is kept and the error says so', async () => {
    const { query, changes } = await restartedEmpty();
    expect(query.value).toBe('ab');
    expect(changes).toEqual(['ab']);
    expect(query.error?.message).toBe(
      'Consul lists nothing for the letters and has lost its history (index 5, after 10), as if restarted empty; the last known state stays in force: restore its data, or list a letter.',
    );
  });

  test('is not believed either when its index has grown beyond the known one', async () => {
    const { query, reply, question, clock } = await restartedEmpty();
    await clock.advance(500);
    expect(question.asked.at(-1)).toEqual(blocking(5n));
    for (const index of [20, 20, 30, 30]) await reply(answer(index, ''));
    expect(query.value).toBe('ab');
    expect(query.error).toBeInstanceOf(ConsulError);
  });

  test('stays doubted over the next error', async () => {
    const { query, reply, question, clock } = await restartedEmpty();
    await clock.advance(1_000);
    await question.fail(new Error('gone'));
    for (const index of [20, 20]) await reply(answer(index, ''));
    expect(query.value).toBe('ab');
  });

  test('is believed as soon as it lists something, and is then allowed to empty it', async () => {
    const { query, changes, reply } = await restartedEmpty();
    await reply(answer(6, 'c'));
    // An index below the known one is read twice.
    await reply(answer(6, 'c'));
    expect(query.error).toBeUndefined();
    await reply(answer(7, ''));
    await reply(answer(7, ''));
    expect(changes).toEqual(['ab', 'c', '']);
  });

  test('is believed after `patience`', async () => {
    const { query, reply, clock } = await restartedEmpty({ patience: 600_000 });
    await clock.advance(600_000);
    await reply(answer(5, ''));
    await reply(answer(5, ''));
    expect(query.value).toBe('');
    expect(query.error).toBeUndefined();
  });
});

describe('what a former run knew', () => {
  const former = { digest: 'ab', listed: new Set('ab') };

  test('is no value, but the first answer of a virgin Consul is held against it', async () => {
    const { query, changes, reply } = await startQuery({ former });
    expect(query.value).toBeUndefined();
    await reply(answer(1, ''));
    await reply(answer(1, ''));
    expect(query.value).toBeUndefined();
    expect(query.error?.message).toContain('lost its history');
    expect(changes).toEqual([]);
  });

  test('is confirmed by the same content, which becomes the value', async () => {
    const { changes, reply } = await startQuery({ former });
    await reply(answer(50, 'ab'));
    expect(changes).toEqual(['ab']);
  });

  test('gives way to a second empty answer of a Consul with a history', async () => {
    const { changes, reply } = await startQuery({ former });
    await reply(answer(50, ''));
    await reply(answer(50, ''));
    expect(changes).toEqual(['']);
  });
});

describe('rights', () => {
  test('are checked at first, after an error, and when something is missing', async () => {
    const { question, reply, clock } = await startQuery();
    await reply(answer(10, 'ab'));
    await reply(answer(11, 'abc'));
    await reply(answer(12, 'c'));
    expect(question.rightsChecked).toEqual([[], ['a', 'b']]);
    await clock.advance(1_000);
    await question.fail(new Error('gone'));
    await reply(answer(12, 'c'));
    expect(question.rightsChecked).toEqual([[], ['a', 'b'], []]);
  });

  test('that are missing are an error and keep the value', async () => {
    const { question, query, reply, changes } = await settled();
    question.denial = new ConsulError('not allowed');
    await reply(answer(11, 'a'));
    expect(query.value).toBe('ab');
    expect(query.error?.message).toBe('not allowed');
    question.denial = undefined;
    await reply(answer(11, 'ab'));
    expect(query.error).toBeUndefined();
    expect(changes).toEqual(['ab']);
  });

  test('that are missing explain an empty answer under the known index', async () => {
    const { question, query, reply } = await settled();
    question.denial = new ConsulError('not allowed');
    await reply(answer(10, ''));
    await reply(answer(10, ''));
    expect(query.value).toBe('ab');
    expect(query.error?.message).toBe('not allowed');
  });
});

describe('errors', () => {
  test('keep the value, say why, and are cleared by the next answer', async () => {
    const { question, query, reply, clock, changes } = await settled();
    const confirmedAt = query.confirmedAt;
    await clock.advance(1_000);
    await question.fail(new ConsulError('refused'));
    expect(query).toMatchObject({ value: 'ab', confirmedAt });
    expect(query.error?.message).toBe('refused');
    await reply(answer(12, 'abc'));
    expect(query).toMatchObject({ value: 'abc', error: undefined, confirmedAt: clock.time });
    expect(changes).toEqual(['ab', 'abc']);
  });

  test('are retried after pauses that double up to 5 s', async () => {
    const { question, clock } = await startQuery();
    const pauses: number[] = [];
    for (let tries = 0; tries < 7; tries++) {
      await question.fail(new Error('gone'));
      const from = clock.time;
      while (!question.isPending) await clock.advance(50);
      pauses.push(clock.time - from);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  test('are followed by a read that any server may answer, where something is known to hold it against', async () => {
    const { question, reply, clock } = await settled();
    await question.fail(new Error('gone'));
    await clock.advance(1_000);
    expect(question.asked.at(-1)).toEqual(stale);
    await reply(answer(11, 'abc', { leaderKnown: false }));
    await clock.advance(1_000);
    expect(question.asked.at(-1)).toEqual(consistent);
  });

  test('before anything is known are followed by a consistent read', async () => {
    const { question, clock } = await startQuery({ former: { digest: 'ab', listed: new Set('ab') } });
    await question.fail(new Error('gone'));
    await clock.advance(1_000);
    expect(question.asked).toEqual([consistent, consistent]);
  });

  test('what is thrown and is no Error becomes one', async () => {
    const { question, query } = await startQuery();
    await question.fail('text');
    expect(query.error?.message).toBe('text');
  });
});

describe('pace', () => {
  test('a source that changes all the time is read a few times in quick succession, then twice per second at most', async () => {
    const { question, clock, changes } = await startQuery();
    for (let ms = 0; ms < 10_000; ms += 10) {
      if (question.isPending) await question.reply(answer(ms + 10, `${ms}`));
      await clock.advance(10);
    }
    expect(question.asked.length).toBeLessThanOrEqual(26);
    expect(changes.length).toBeGreaterThanOrEqual(18);
  });
});

describe('closing', () => {
  async function closeAndExpectSilence({
    query,
    question,
    clock,
    changes,
  }: Awaited<ReturnType<typeof startQuery>>) {
    const before = { asked: question.asked.length, changes: changes.length };
    query.close();
    query.close();
    await settle();
    expect(clock.sleeping).toBe(0);
    await clock.advance(600_000);
    expect({ asked: question.asked.length, changes: changes.length }).toEqual(before);
  }

  test('while the first read is in flight', async () => {
    const started = await startQuery();
    await closeAndExpectSilence(started);
    expect(started.question.aborted).toBe(1);
    expect(started.query.error).toBeUndefined();
  });

  test('while a blocking query is in flight', async () => {
    const started = await settled();
    await closeAndExpectSilence(started);
    expect(started.query.value).toBe('ab');
  });

  test('while it pauses after an error', async () => {
    const started = await settled();
    await started.question.fail(new Error('gone'));
    await closeAndExpectSilence(started);
  });

  test('while it paces itself', async () => {
    const started = await startQuery();
    await started.question.reply(answer(10, 'ab'));
    expect(started.clock.sleeping).toBe(1);
    await closeAndExpectSilence(started);
  });

  test('while it waits to read again', async () => {
    const started = await settled();
    await started.reply(answer(11, ''));
    expect(started.clock.sleeping).toBe(1);
    await closeAndExpectSilence(started);
  });

  test('while rights are checked', async () => {
    const started = await settled();
    const { promise, resolve } = Promise.withResolvers<void>();
    started.question.checkRights = () => promise;
    await started.reply(answer(11, 'b'));
    started.query.close();
    resolve();
    await settle();
    expect(started.changes).toEqual(['ab']);
  });

  test('from within onChange', async () => {
    const started = await startQuery();
    const push = started.changes.push.bind(started.changes);
    started.changes.push = (...values) => {
      started.query.close();
      return push(...values);
    };
    await started.question.reply(answer(10, 'ab'));
    await started.clock.advance(1_000);
    expect(started.question.asked).toHaveLength(1);
  });

  test('tells its owner, once', async () => {
    let told = 0;
    const { query } = await startQuery({ onClose: () => (told += 1) });
    query.close();
    query.close();
    expect(told).toBe(1);
  });
});
