/** What is kept on disk comes back as it was, or not at all. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Instant } from '../../../../src/common/steady-clock.ts';
import type { LastKnownState } from '../../../../src/daemon/consul-cache.ts';
import { seal, unseal } from '../../../../src/daemon/state/envelope.ts';
import * as stateFile from '../../../../src/daemon/state/state-file.ts';
import { StateFile, type StateFileOptions } from '../../../../src/daemon/state/state-file.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeLog } from '../../../support/fakes.ts';
import { prefix } from '../../../support/host-claims.ts';

const stateOf = (text: string): LastKnownState => ({
  rules: new Map([['db', text]]),
  services: new Map([['web', [{ address: '10.0.0.1', port: 80, tags: ['a'], node: 'n1' }]]]),
  confirmedAt: { rules: 40_000, services: new Map([['web', 50_000]]) },
});

/** Stands still. */
const clockAt = (now: number, instant: Partial<Instant> = {}) => ({
  now: () => now,
  instant: () => ({ wall: now, uptime: now, boot: 'first', ...instant }),
});
const CLOCK = clockAt(60_000);

let folder: string;
let log: FakeLog;
const path = () => join(folder, 'state', 'known.json');
const open = (options: StateFileOptions = {}) =>
  new StateFile(join(folder, 'state'), log, { clock: CLOCK, ...options });
const encode = (...state: Parameters<typeof stateFile.encode>) =>
  seal(JSON.stringify(stateFile.encode(...state)));
const decode = (text: string, clock: stateFile.StateClock) => stateFile.decode(unseal(text), clock);
const readKept = () => decode(readFileSync(path(), 'utf8'), CLOCK);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-state-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the last of several is kept, readable by its owner alone, with nothing beside it', async () => {
  const file = open();
  for (const text of ['one', 'two', 'three']) file.save(stateOf(text));
  await file.close();
  expect(await open().load()).toEqual(stateOf('three'));
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'state'))).toEqual(['known.json']);
  expect(log.messages('warn')).toEqual([]);
});

test('ingress keys are kept where there are any, with their age', async () => {
  const file = open();
  const one = stateOf('one');
  const state = {
    ...{ ...one, ingress: new Map([['web', '10.0.0.0/8:tcp/80']]) },
    confirmedAt: { ...one.confirmedAt, ingress: 45_000 },
  };
  file.save(stateOf('one'));
  file.save(state);
  await file.close();
  expect(await open().load()).toEqual(state);
});

test('where there is no file, nothing is known and nothing is said', async () => {
  expect(await open().load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([]);
});

test('what could not be written is tried again, and reported once', async () => {
  writeFileSync(join(folder, 'state'), 'a file where the folder should be');
  const file = open({ retryAfter: 10 });
  file.save(stateOf('old'));
  file.save(stateOf('new'));
  await eventually(() => expect(log.messages('warn')).toHaveLength(1));
  rmSync(join(folder, 'state'));
  await eventually(() => expect(readKept()).toEqual(stateOf('new')));
  await file.close();
  expect(log.messages('warn')).toEqual(['last known rules could not be written to disk']);
});

describe('a file that is', () => {
  const text = encode(stateOf('10.0.0.1:tcp/80'), CLOCK);
  test.each([
    ['empty', '', 'not a state file'],
    ['no JSON', 'garbage', 'not a state file'],
    ['another JSON', '{"rules":[]}', 'not a state file'],
    ['cut short', text.slice(0, -20), 'not a state file'],
    ['of a newer version', text.replace('"version":1', '"version":2'), 'has version 2'],
    ['damaged', text.replace('tcp/80', 'tcp/81'), 'checksum is wrong'],
  ])('%s is ignored with a warning', async (_what, content, reason) => {
    const file = open();
    file.save(stateOf('x'));
    await file.close();
    writeFileSync(path(), content);
    expect(await open().load()).toBeUndefined();
    expect(log.messages('warn')).toEqual(['last known rules cannot be used; ignoring the file']);
    expect(() => decode(content, CLOCK)).toThrow(reason);
  });
});

test('no damage to a single character goes unnoticed or changes what is known', () => {
  const known = stateOf('10.0.0.1:tcp/80\n10.0.0.2:udp/53');
  const text = encode(known, CLOCK);
  fc.assert(
    fc.property(fc.nat(text.length - 2), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const damaged = text.slice(0, at) + character + text.slice(at + 1);
      let read: LastKnownState | undefined;
      try {
        read = decode(damaged, CLOCK);
      } catch {
        return;
      }
      expect(read).toEqual(known);
    }),
  );
});

test('a file that is far too large is not read', async () => {
  const file = open();
  file.save(stateOf('x'));
  await file.close();
  truncateSync(path(), 300 * 1024 * 1024);
  expect(await open().load()).toBeUndefined();
  expect(log.messages('warn')).toEqual(['last known rules cannot be used; ignoring the file']);
});

describe('the age of what is known', () => {
  const known = stateOf('10.0.0.1:tcp/80');
  /** Kept at 60 s, when the rules were 20 s old and the service 10 s; how old they are when they are read. */
  const agesIn = (clock: ReturnType<typeof clockAt>) => {
    const { rules = Number.NaN, services } = decode(encode(known, CLOCK), clock).confirmedAt;
    return [clock.now() - rules, clock.now() - (services.get('web') ?? Number.NaN)];
  };

  test.each([
    ['goes on while no controller runs', clockAt(160_000), [120_000, 110_000]],
    ['goes on although the clock was set back', clockAt(0, { wall: 0, uptime: 160_000 }), [120_000, 110_000]],
    [
      'is that of the clock after the host was started anew',
      clockAt(160_000, { uptime: 5_000, boot: 'next' }),
      [120_000, 110_000],
    ],
    [
      'is what it was and the time since the start, where the clock was set back besides',
      clockAt(0, { wall: 0, uptime: 5_000, boot: 'next' }),
      [25_000, 15_000],
    ],
    ['is never less than it was', clockAt(0, { wall: 0, uptime: 0, boot: 'next' }), [20_000, 10_000]],
    [
      'is told by the clock alone where no start can be told from another',
      clockAt(160_000, { uptime: 900_000, boot: undefined }),
      [120_000, 110_000],
    ],
  ])('%s', (_what, clock, ages) => {
    expect(agesIn(clock)).toEqual(ages);
  });

  test('is not known of a file of version 1.0, which has none', () => {
    const content = JSON.stringify({ rules: [...known.rules], services: [...known.services] });
    expect(decode(seal(content), CLOCK)).toEqual({
      ...known,
      confirmedAt: { rules: undefined, services: new Map() },
    });
  });

  test('is written now and then while nothing else changes, and in the end', async () => {
    let now = 60_000;
    const clock = { now: () => now, instant: () => clockAt(now).instant() };
    const file = open({ clock, refresh: 1_000 });
    const written = () => decode(readFileSync(path(), 'utf8'), clockAt(now)).confirmedAt.rules;
    const saved = (rules: number) => file.save({ ...known, confirmedAt: { ...known.confirmedAt, rules } });
    saved(50_000);
    await eventually(() => expect(written()).toBe(50_000));
    now += 900;
    saved(60_500);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written()).toBe(50_000);
    now += 200;
    saved(60_900);
    await eventually(() => expect(written()).toBe(60_900));
    now += 100;
    saved(61_150);
    await file.close();
    expect(written()).toBe(61_150);
  });
});

test('services of the node come back under the same boot alone', async () => {
  const services = [
    {
      ...{ registration: 'web 1 1', name: 'web', address: prefix('2001:db8::2') },
      ...{ port: 80, protocol: 'tcp' as const },
    },
  ];
  const state = { ...stateOf('one'), nodeServices: { node: 'n1', services } };
  const file = open();
  file.save(state);
  await file.close();
  expect(await open().load()).toEqual(state);
  expect(await open({ clock: clockAt(60_000, { boot: 'second' }) }).load()).not.toHaveProperty(
    'nodeServices',
  );
});
