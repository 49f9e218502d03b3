/** What the browser knows after each message of the stream. */
import { expect, test } from 'vitest';
import { fold, type Message, NOTHING_KNOWN, withoutPage, withReason } from '../../../page/live/fold.ts';

const snapshot: Message = {
  event: 'snapshot',
  data: { revision: 7, at: 1000, state: { keys: [['db', { text: 'redis' }]] } },
};
const changes: Message = {
  event: 'changes',
  data: { revision: 8, at: 2000, changes: { keys: { set: [['mail', { text: '' }]], removed: ['db'] } } },
};
const lost: Message = {
  event: 'link',
  data: { isConnected: false, since: 1500, at: 1600, reason: 'it stopped' },
};
const back: Message = { event: 'link', data: { isConnected: true, since: 3000, at: 3100 } };

const after = (...messages: readonly Message[]) => messages.reduce(fold, NOTHING_KNOWN);

test('a snapshot is all that is known, and changes change it', () => {
  expect(after(snapshot)).toMatchObject({ revision: 7, at: 1000, link: { kind: 'live' } });
  expect([...after(snapshot, changes).state.keys.keys()]).toEqual(['mail']);
});

test('a table without changes stays the same object, so nothing of it is drawn again', () => {
  const before = after(snapshot);
  expect(fold(before, changes).state.denied).toBe(before.state.denied);
});

test('without the controller, what is known stays, and is known to be old', () => {
  const known = after(snapshot, lost);
  expect(known.state.keys.get('db')).toEqual({ text: 'redis' });
  expect(known.link).toEqual({ kind: 'controller', since: 1500, reason: 'it stopped' });
  expect(fold(known, snapshot).link.kind).toBe('controller');
  expect(fold(known, back).link).toMatchObject({ kind: 'live', since: 3000 });
});

test("without the page's process, the time since when counts on", () => {
  const known = withoutPage(after(snapshot), 5000);
  expect(known.link).toEqual({ kind: 'page', since: 5000 });
  expect(withoutPage(known, 9000).link.since).toBe(5000);
  expect(withoutPage(after(snapshot, lost), 9000).link.since).toBe(1500);
  expect(withReason(known, 'too many').link).toEqual({ kind: 'page', since: 5000, reason: 'too many' });
  expect(fold(known, snapshot).link.kind).toBe('live');
});
