/** The loop of blocking queries: what it reads, what it accepts, what it keeps. */
import { describe, expect, test } from 'vitest';
import { ConsulError } from '../../../../src/common/errors.ts';
import { result, settle, startQuery } from './support.ts';

const consistent = { kind: 'consistent' };
const stale = { kind: 'stale' };
const blocking = (index: bigint) => ({ kind: 'blocking', index, wait: 45_000 });

/** Has read `ab` at index 10 and blocks on it. */
async function settled(options: Parameters<typeof startQuery>[0] = {}) {
  const started = await startQuery(options);
  await started.reply(result(10, 'ab'));
  await started.clock.advance(1_000);
  return started;
}

describe('reading', () => {
  test('reads at once and consistently, then blocks on the index', async () => {
    const { query, watch, changes, clock } = await startQuery();
    expect(watch.value).toBeUndefined();
    expect(query.executed).toEqual([consistent]);
    await query.reply(result(10, 'ab'));
    expect(changes).toEqual(['ab']);
    await clock.advance(600);
    expect(query.executed).toEqual([consistent, blocking(10n)]);
  });

  test('blocks for a random time first, and for the whole once nothing moves', async () => {
    const { query, reply, clock } = await settled({ random: () => 0 });
    expect(query.executed.at(-1)).toEqual({ ...blocking(10n), wait: 22_500 });
    await reply(result(10, 'ab'));
    await clock.advance(1_000);
    expect(query.executed.at(-1)).toEqual(blocking(10n));
    await reply(result(11, 'abc'));
    await clock.advance(1_000);
    expect(query.executed.at(-1)).toEqual({ ...blocking(11n), wait: 22_500 });
  });

  test('an empty first answer is a value, and a change', async () => {
    const { watch, changes, reply } = await startQuery();
    await reply(result(1, ''));
    expect(watch.value).toBe('');
    expect(changes).toEqual(['']);
  });

  test('an index that moves without a change calls nobody, but confirms', async () => {
    const { watch, changes, reply, clock } = await settled();
    await clock.advance(5_000);
    await reply(result(11, 'ab'));
    expect(changes).toEqual(['ab']);
    expect(watch.confirmedAt).toBe(clock.time);
  });

  test('blocks on 1 where Consul says 0, for index 0 does not block', async () => {
    const { query, reply, clock } = await startQuery();
    await reply(result(0, 'ab'));
    await clock.advance(600);
    expect(query.executed.at(-1)).toEqual(blocking(1n));
  });
});

describe('answers that look wrong are read again, consistently', () => {
  const wrong = {
    'an index that went backwards': result(9, 'abc'),
    'other content under the same index': result(10, 'abc'),
    'a server without a leader': result(11, 'abc', { leaderKnown: false }),
    'a server that has not heard of its leader': result(11, 'abc', { lastContact: 5_001 }),
  };
  test.each(Object.entries(wrong))('%s', async (_name, suspicious) => {
    const { query, watch, reply, clock } = await settled();
    await reply(suspicious);
    expect(watch.value).toBe('ab');
    await clock.advance(500);
    expect(query.executed.at(-1)).toEqual(consistent);
    await reply(result(9, 'abcd'));
    expect(watch.value).toBe('abcd');
    await clock.advance(500);
    expect(query.executed.at(-1)).toEqual(blocking(9n));
  });

  test('nothing where there was something, when the second answer is as empty', async () => {
    const { query, watch, changes, reply, clock } = await settled();
    await reply(result(11, ''));
    expect(watch.value).toBe('ab');
    await clock.advance(500);
    expect(query.executed.at(-1)).toEqual(consistent);
    await reply(result(11, ''));
    expect(changes).toEqual(['ab', '']);
    expect(watch.error).toBeUndefined();
  });

  test('nothing where there was something, when the second answer denies it', async () => {
    const { watch, changes, reply } = await settled();
    await reply(result(11, ''));
    await reply(result(12, 'ab'));
    expect(changes).toEqual(['ab']);
    expect(watch.error).toBeUndefined();
  });

  test('after an error, two answers must be empty, the second a consistent one', async () => {
    const { query, watch, reply } = await settled();
    await query.fail(new Error('gone'));
    await reply(result(11, ''));
    expect(watch.value).toBe('ab');
    await reply(result(11, ''));
    expect(watch.value).toBe('');
    expect(query.executed.slice(2, 4)).toEqual([stale, consistent]);
  });

  test('an error between two empty answers makes the second the first', async () => {
    const { query, watch, reply, clock } = await settled();
    await reply(result(11, ''));
    await clock.advance(1_000);
    await query.fail(new Error('gone'));
    await reply(result(11, ''));
    expect(watch.value).toBe('ab');
  });
});

describe('a Consul that has lost its history', () => {
  async function restartedEmpty(options: Parameters<typeof startQuery>[0] = {}) {
    const started = await settled(options);
    await started.query.fail(new ConsulError('gone'));
    await started.reply(result(5, ''));
    await started.reply(result(5, ''));
    return started;
  }

  test('is not trusted to have nothing: the value is kept and the error says so', async () => {
    const { watch, changes } = await restartedEmpty();
    expect(watch.value).toBe('ab');
    expect(changes).toEqual(['ab']);
    expect(watch.error?.message).toBe(
      'Consul lists nothing for the letters and has lost its history (index 5, after 10), as if restarted empty; the last known state stays in force: restore its data, or list a letter.',
    );
  });

  test('is not trusted either when its index has grown beyond the known one', async () => {
    const { watch, reply, query, clock } = await restartedEmpty();
    await clock.advance(500);
    expect(query.executed.at(-1)).toEqual(blocking(5n));
    for (const index of [20, 20, 30, 30]) await reply(result(index, ''));
    expect(watch.value).toBe('ab');
    expect(watch.error).toBeInstanceOf(ConsulError);
  });

  test('stays suspect over the next error', async () => {
    const { watch, reply, query, clock } = await restartedEmpty();
    await clock.advance(1_000);
    await query.fail(new Error('gone'));
    for (const index of [20, 20]) await reply(result(index, ''));
    expect(watch.value).toBe('ab');
  });

  test('is accepted as soon as it lists something, and is then allowed to empty it', async () => {
    const { watch, changes, reply } = await restartedEmpty();
    await reply(result(6, 'c'));
    // An index below the known one is read twice.
    await reply(result(6, 'c'));
    expect(watch.error).toBeUndefined();
    await reply(result(7, ''));
    await reply(result(7, ''));
    expect(changes).toEqual(['ab', 'c', '']);
  });

  test('is accepted after `timeout`', async () => {
    const { watch, reply, clock } = await restartedEmpty({ timeout: 600_000 });
    await clock.advance(600_000);
    await reply(result(5, ''));
    await reply(result(5, ''));
    expect(watch.value).toBe('');
    expect(watch.error).toBeUndefined();
  });
});

describe('what a previous run knew', () => {
  const previous = { digest: 'ab', listed: new Set('ab') };

  test('is no value, but the first answer of a virgin Consul is held against it', async () => {
    const { watch, changes, reply } = await startQuery({ previous });
    expect(watch.value).toBeUndefined();
    await reply(result(1, ''));
    await reply(result(1, ''));
    expect(watch.value).toBeUndefined();
    expect(watch.error?.message).toContain('lost its history');
    expect(changes).toEqual([]);
  });

  test('is confirmed by the same content, which becomes the value', async () => {
    const { changes, reply } = await startQuery({ previous });
    await reply(result(50, 'ab'));
    expect(changes).toEqual(['ab']);
  });

  test('gives way to a second empty answer of a Consul with a history', async () => {
    const { changes, reply } = await startQuery({ previous });
    await reply(result(50, ''));
    await reply(result(50, ''));
    expect(changes).toEqual(['']);
  });
});

describe('permissions', () => {
  test('are checked at first, after an error, and when something is missing', async () => {
    const { query, reply, clock } = await startQuery();
    await reply(result(10, 'ab'));
    await reply(result(11, 'abc'));
    await reply(result(12, 'c'));
    expect(query.permissionsChecked).toEqual([[], ['a', 'b']]);
    await clock.advance(1_000);
    await query.fail(new Error('gone'));
    await reply(result(12, 'c'));
    expect(query.permissionsChecked).toEqual([[], ['a', 'b'], []]);
  });

  test('that are missing are an error and keep the value', async () => {
    const { query, watch, reply, changes } = await settled();
    query.denial = new ConsulError('not allowed');
    await reply(result(11, 'a'));
    expect(watch.value).toBe('ab');
    expect(watch.error?.message).toBe('not allowed');
    query.denial = undefined;
    await reply(result(11, 'ab'));
    expect(watch.error).toBeUndefined();
    expect(changes).toEqual(['ab']);
  });

  test('that are missing explain an empty answer under the known index', async () => {
    const { query, watch, reply } = await settled();
    query.denial = new ConsulError('not allowed');
    await reply(result(10, ''));
    await reply(result(10, ''));
    expect(watch.value).toBe('ab');
    expect(watch.error?.message).toBe('not allowed');
  });
});

describe('errors', () => {
  test('keep the value, say why, and are cleared by the next answer', async () => {
    const { query, watch, reply, clock, changes } = await settled();
    const confirmedAt = watch.confirmedAt;
    await clock.advance(1_000);
    await query.fail(new ConsulError('refused'));
    expect(watch).toMatchObject({ value: 'ab', confirmedAt });
    expect(watch.error?.message).toBe('refused');
    await reply(result(12, 'abc'));
    expect(watch).toMatchObject({ value: 'abc', error: undefined, confirmedAt: clock.time });
    expect(changes).toEqual(['ab', 'abc']);
  });

  test('are retried after pauses that double up to 5 s', async () => {
    const { query, clock } = await startQuery();
    const pauses: number[] = [];
    for (let tries = 0; tries < 7; tries++) {
      await clock.advance(1_000);
      await query.fail(new Error('gone'));
      const from = clock.time;
      while (!query.isPending) await clock.advance(50);
      pauses.push(clock.time - from);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  test('are followed by a read that any server may answer, where something is known to hold it against', async () => {
    const { query, reply, clock } = await settled();
    await query.fail(new Error('gone'));
    await clock.advance(1_000);
    expect(query.executed.at(-1)).toEqual(stale);
    await reply(result(11, 'abc', { leaderKnown: false }));
    await clock.advance(1_000);
    expect(query.executed.at(-1)).toEqual(consistent);
  });

  test('before anything is known are followed by a consistent read', async () => {
    const { query, clock } = await startQuery({ previous: { digest: 'ab', listed: new Set('ab') } });
    await query.fail(new Error('gone'));
    await clock.advance(1_000);
    expect(query.executed).toEqual([consistent, consistent]);
  });

  test('what is thrown and is no Error becomes one', async () => {
    const { query, watch } = await startQuery();
    await query.fail('text');
    expect(watch.error?.message).toBe('text');
  });
});

describe('pace', () => {
  test('a source that changes all the time is read twice a second and a little more', async () => {
    const { query, clock, changes } = await startQuery({ random: () => 0 });
    for (let ms = 0; ms < 10_000; ms += 10) {
      if (query.isPending) await query.reply(result(ms + 10, `${ms}`));
      await clock.advance(10);
    }
    expect(query.executed.length).toBeLessThanOrEqual(26);
    expect(changes.length).toBeGreaterThanOrEqual(18);
  });
});

describe('closing', () => {
  async function closeAndExpectSilence({
    watch,
    query,
    clock,
    changes,
  }: Awaited<ReturnType<typeof startQuery>>) {
    const before = { asked: query.executed.length, changes: changes.length };
    watch.close();
    watch.close();
    await settle();
    expect(clock.sleeping).toBe(0);
    await clock.advance(600_000);
    expect({ asked: query.executed.length, changes: changes.length }).toEqual(before);
  }

  test('while the first read is in flight', async () => {
    const started = await startQuery();
    await closeAndExpectSilence(started);
    expect(started.query.aborted).toBe(1);
    expect(started.watch.error).toBeUndefined();
  });

  test('while a blocking read is in flight', async () => {
    const started = await settled();
    await closeAndExpectSilence(started);
    expect(started.watch.value).toBe('ab');
  });

  test('while it pauses after an error', async () => {
    const started = await settled();
    await started.query.fail(new Error('gone'));
    await closeAndExpectSilence(started);
  });

  test('while it paces itself', async () => {
    const started = await startQuery();
    await started.query.reply(result(10, 'ab'));
    expect(started.clock.sleeping).toBe(1);
    await closeAndExpectSilence(started);
  });

  test('while it waits to read again', async () => {
    const started = await settled();
    await started.reply(result(11, ''));
    expect(started.clock.sleeping).toBe(1);
    await closeAndExpectSilence(started);
  });

  test('while permissions are checked', async () => {
    const started = await settled();
    const { promise, resolve } = Promise.withResolvers<void>();
    started.query.checkPermissions = () => promise;
    await started.reply(result(11, 'b'));
    started.watch.close();
    resolve();
    await settle();
    expect(started.changes).toEqual(['ab']);
  });

  test('from within onChange', async () => {
    const started = await startQuery();
    const push = started.changes.push.bind(started.changes);
    started.changes.push = (...values) => {
      started.watch.close();
      return push(...values);
    };
    await started.query.reply(result(10, 'ab'));
    await started.clock.advance(1_000);
    expect(started.query.executed).toHaveLength(1);
  });

  test('tells its owner, once', async () => {
    let closed = 0;
    const { watch } = await startQuery({ onClose: () => (closed += 1) });
    watch.close();
    watch.close();
    expect(closed).toBe(1);
  });
});
