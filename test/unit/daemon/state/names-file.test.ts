/** What is granted by name comes back with the time that is left, or not at all. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { type NamesClock, NamesFile, type NamesRecord } from '../../../../src/daemon/state/names-file.ts';
import { nameKey } from '../../../../src/dns/name.ts';
import { FORGOTTEN, type HeldGrant } from '../../../../src/features/names/grant.ts';
import { FakeLog } from '../../../support/fakes.ts';
import { address } from '../../features/names/names.ts';

let folder: string;
let log: FakeLog;
const path = () => join(folder, 'names.json');
/** Ten minutes after the boot. */
const FIRST: NamesClock = { now: 1_000_000_000, uptime: 600_000, boot: 'b1' };
const open = (clock: NamesClock) => new NamesFile(folder, log, () => clock, { pause: 0, retryAfter: 10 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-names-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const held = (to: string, name: readonly string[], more: Partial<HeldGrant> = {}): HeldGrant => ({
  ...{ portClass: 'tcp/443', address: address(to), name: nameKey(name) },
  ...{ needed: FIRST.now + 60_500, until: FIRST.now + 300_500, atMost: FIRST.now + 360_500, ...more },
});

const stateOf = (...grants: readonly HeldGrant[]): NamesRecord =>
  new Map([
    [
      'c1@0',
      {
        ...{ port: 40_000, dockerPort: 40_001, secret: new Uint8Array(16).fill(7), grants },
        numbers: new Map([
          ['tcp/443', 0],
          ['udp/53', 2],
        ]),
      },
    ],
  ]);

const store = async (state: NamesRecord, clock: NamesClock = FIRST) => {
  const file = open(clock);
  file.save(() => state);
  await file.close();
};

const ODD = ['a.b', '\xff', 'test'];

test('another run has the same ports, secrets and grants, with the time that is left', async () => {
  await store(stateOf(held('1.1.1.1', ['api', 'test']), held('1.1.1.1', ODD), held('2606::1', ODD)));
  // 20 s later, by a clock that was set back by a day meanwhile.
  const now = FIRST.now - 86_400_000;
  const restored = await open({ now, uptime: 620_000, boot: 'b1' }).load();
  const { grants = [], secret, ...rest } = restored.get('c1@0') ?? {};
  expect(rest).toEqual({
    ...{ port: 40_000, dockerPort: 40_001 },
    numbers: new Map([
      ['tcp/443', 0],
      ['udp/53', 2],
    ]),
  });
  expect([...(secret ?? [])]).toEqual(new Array(16).fill(7));
  // In whole seconds: what counts as granted ends early, what may be in the kernel late.
  const times = { needed: now + 40_000, until: now + 280_000, atMost: now + 341_000 };
  expect(grants).toEqual([
    held('1.1.1.1', ['api', 'test'], times),
    held('1.1.1.1', ODD, times),
    held('2606::1', ODD, times),
  ]);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
});

test('what no name is known for comes back as that', async () => {
  await store(stateOf(held('1.1.1.1', [])));
  expect((await open(FIRST).load()).get('c1@0')?.grants.map(({ name }) => name)).toEqual([FORGOTTEN]);
});

test('a grant that the kernel may not have does not count as granted afterwards', async () => {
  await store(stateOf(held('1.1.1.1', ['x'], { until: 0 })));
  const restored = await open(FIRST).load();
  expect(restored.get('c1@0')?.grants.map(({ until }) => until)).toEqual([0]);
});

test('a clock that has not moved writes the same file', async () => {
  await store(stateOf(held('1.1.1.1', ['x'])));
  const before = readFileSync(path(), 'utf8');
  await store(stateOf(held('1.1.1.1', ['x'])), { ...FIRST, now: FIRST.now + 5, uptime: FIRST.uptime + 5 });
  expect(readFileSync(path(), 'utf8')).toBe(before);
});

test.each([
  ['another boot', { ...FIRST, boot: 'b2' }],
  ['an unknown boot', { ...FIRST, boot: undefined }],
])('nothing is left after %s', async (_what, clock) => {
  await store(stateOf(held('1.1.1.1', ['x'])));
  expect(await open(clock).load()).toEqual(new Map());
  await store(stateOf(held('1.1.1.1', ['x'])), clock);
  expect((await open(clock).load()).size).toBe(clock.boot === undefined ? 0 : 1);
  expect(log.messages('warn')).toEqual([]);
});

const NAMESPACE = {
  ...{ port: 1, dockerPort: 2, secret: '00'.repeat(16), numbers: [['tcp/443', 0]] },
  grants: [{ class: 'tcp/443', address: '1.1.1.1', until: 1, atMost: 2, names: [['x', 1]] }],
};
const content = (change: object) =>
  seal(JSON.stringify({ boot: 'b1', namespaces: [['c1@0', { ...NAMESPACE, ...change }]] }));

test('a file by hand is read', async () => {
  writeFileSync(path(), content({}));
  expect((await open(FIRST).load()).get('c1@0')?.grants).toHaveLength(1);
});

test.each([
  ['empty', ''],
  ['of a port that is none', content({ port: 0 })],
  ['of a short secret', content({ secret: '00' })],
  ['of a class that no datagram has', content({ numbers: [['tcp/443', 65_536]] })],
  ['of an address that is none', content({ grants: [{ ...NAMESPACE.grants[0], address: '1.1.1' }] })],
  ['of a name that is none', content({ grants: [{ ...NAMESPACE.grants[0], names: [['a..b', 1]] }] })],
  ['of a time that is none', content({ grants: [{ ...NAMESPACE.grants[0], until: -1 }] })],
])('a file that is %s counts as none', async (_what, text) => {
  writeFileSync(path(), text);
  expect(await open(FIRST).load()).toEqual(new Map());
  expect(log.messages('warn')).toEqual([
    'record of what is granted by name cannot be used; ignoring the file',
  ]);
});

test('a file cannot grant for longer than a day', async () => {
  writeFileSync(
    path(),
    content({ grants: [{ ...NAMESPACE.grants[0], until: 9_999_999, atMost: 9_999_999 }] }),
  );
  const [one] = (await open(FIRST).load()).get('c1@0')?.grants ?? [];
  expect([one?.until, one?.atMost]).toEqual([FIRST.now + 86_400_000, FIRST.now + 86_400_000]);
});

test('of too many grants, those of the smallest namespaces are kept whole', async () => {
  const [small] = stateOf(held('1.1.1.1', ['x'])).values();
  if (small === undefined) throw new Error('no state');
  const of = (count: number) => ({ ...small, grants: new Array(count).fill(small.grants[0]) });
  await store(
    new Map([
      ['big@0', of(150_000)],
      ['bigger@0', of(150_001)],
      ['small@0', small],
    ]),
  );
  const restored = await open(FIRST).load();
  expect([...restored].map(([id, { grants }]) => [id, grants.length])).toEqual([
    ['small@0', 1],
    ['big@0', 150_000],
  ]);
});
