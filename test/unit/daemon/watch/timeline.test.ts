/** What is told on the timeline, and how much of it is kept. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOGGED_EVENTS, timelineLogger } from '../../../../src/daemon/watch/logged-events.ts';
import { changesSeen, type Seen } from '../../../../src/daemon/watch/seen-changes.ts';
import { Timeline } from '../../../../src/daemon/watch/timeline.ts';
import type { NamespaceStatus } from '../../../../src/features/egress/status.ts';
import { parseAcl } from '../../../../src/policy/acl.ts';
import { FakeLog } from '../../../support/fakes.ts';

const eventsOf = (timeline: Timeline) => [...timeline.table.values()];

test('the latest events of each kind are kept', () => {
  let now = 0;
  const timeline = new Timeline(() => now);
  timeline.add({ kind: 'key', subject: 'web', text: 'key edited' });
  for (now = 1; now <= 1_000; now += 1)
    timeline.add({ kind: 'load', subject: `web-${now}`, text: 'rules loaded' });
  const events = eventsOf(timeline);
  expect(events).toHaveLength(201);
  expect(events[0]).toMatchObject({ kind: 'key', at: 0 });
  expect(events.at(-1)).toMatchObject({ subject: 'web-1000', at: 1_000 });
  expect([...timeline.table.keys()].map(Number)).toEqual(
    [...timeline.table.keys()].map(Number).sort((a, b) => a - b),
  );
  expect(timeline.table).toBe(timeline.table);
});

test('a text of others does not fill it', () => {
  const timeline = new Timeline(() => 0);
  timeline.add({ kind: 'load', subject: 'web', text: 'x'.repeat(10_000) });
  expect(eventsOf(timeline)[0]?.text.length).toBeLessThan(1_000);
});

test('loads are told with their milliseconds, and the log has them as before', () => {
  const [log, timeline] = [new FakeLog(), new Timeline(() => 7)];
  const telling = timelineLogger(log, timeline);
  telling.info({ container: 'web', ms: 12.4 }, 'rules loaded');
  telling.warn({ container: 'web' }, 'rules in the kernel were changed');
  telling.error({ container: 'the host', error: 'broken' }, 'rules could not be loaded; trying again');
  telling.info({ container: 'web' }, 'something else');
  expect(eventsOf(timeline)).toEqual([
    { at: 7, kind: 'load', subject: 'web', text: 'rules loaded', took: 12 },
    expect.objectContaining({ kind: 'repair', subject: 'web', isProblem: true }),
    { at: 7, kind: 'host', subject: 'the host', text: 'rules could not be loaded: broken', isProblem: true },
  ]);
  expect(log.messages('info')).toEqual(['rules loaded', 'something else']);
});

test('each message that it waits for is one of the program', () => {
  const source = globSync('src/**/*.ts')
    .filter((path) => !path.includes('daemon/watch/'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  for (const message of LOGGED_EVENTS.keys()) expect(source, message).toContain(`'${message}'`);
});

const START = '2026-01-02T00:00:00Z';
const namespace = (name: string, more: Partial<NamespaceStatus> = {}): NamespaceStatus => ({
  ...{ id: `${name}@${START}`, workloads: [name], target: name, state: 'protected', grants: ['web'] },
  ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: false, fingerprint: '1', verifiedAt: 1 },
  ...{ lastError: undefined, problems: [], ...more },
});
const seen = (
  keys: Readonly<Record<string, string>>,
  namespaces: readonly NamespaceStatus[] = [],
  error?: string,
): Seen => ({
  acl: parseAcl(new Map(Object.entries(keys))),
  ingress: undefined,
  status: { namespaces, sources: [{ name: 'rules', known: true, confirmedAt: 1, error }] },
});
const since = Date.parse(START) - 1;
const texts = (before: Seen, now: Seen) =>
  changesSeen(before, now, since).map(({ subject, text }) => `${subject}: ${text}`);

test.each([
  [{ web: 'a\nb' }, { web: 'a\nc\nd' }, ['web: key edited, +2 −1 lines']],
  [{ web: 'a\nb' }, { web: 'b\na' }, ['web: key edited, its lines in another order']],
  [{}, { web: 'a' }, ['web: key created with 1 line']],
  [{ web: 'a' }, {}, ['web: key removed']],
  [{ web: 'a' }, { web: 'a' }, []],
])('edits of keys are told: %j to %j', (before, now, expected) => {
  expect(texts(seen(before), seen(now))).toEqual(expected);
});

test('keys that were not known before are not edits', () => {
  expect(texts({ ...seen({}), acl: undefined }, seen({ web: 'a' }))).toEqual([]);
});

test('workloads come and go, but for those that ran before the controller', () => {
  const old = namespace('old', { id: 'old@2026-01-01T00:00:00Z' });
  expect(texts(seen({}), seen({}, [old, namespace('web')]))).toEqual(['web: started with the keys web']);
  expect(texts(seen({}, [old]), seen({}))).toEqual(['old: ended']);
});

test('overrides are told', () => {
  const [own, set] = [
    namespace('web'),
    namespace('web', { grants: ['a', 'b'], byHand: { kind: 'set', since: 5 } }),
  ];
  const cleared = namespace('web', { byHand: { kind: 'clear', since: 6 } });
  expect(texts(seen({}, [own]), seen({}, [set]))).toEqual(['web: its keys were set by hand: a, b']);
  expect(texts(seen({}, [set]), seen({}, [cleared]))).toEqual(['web: its rules were removed by hand']);
  expect(texts(seen({}, [cleared]), seen({}, [own]))).toEqual(['web: it has its own keys again']);
});

test('a source that is lost and back is told once each', () => {
  const [well, lost] = [seen({}), seen({}, [], 'refused')];
  expect(texts(well, lost)).toEqual(['rules: it does not answer: refused']);
  expect(texts(lost, lost)).toEqual([]);
  expect(texts(lost, well)).toEqual(['rules: it answers again']);
});

test('hundreds at once are told as a number', () => {
  const keys = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key-${index}`, 'a']));
  const all = texts(seen({}), seen(keys));
  expect(all).toHaveLength(21);
  expect(all.at(-1)).toContain('280 more keys changed');
});
