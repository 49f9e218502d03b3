/** The group of the watch socket. */
import { expect, test } from 'vitest';
import { groupIn, socketPlace } from '../../../../src/daemon/watch/socket-place.ts';
import { FakeLog } from '../../../support/fakes.ts';

const FILE = 'root:x:0:\negresstrator:x:997:page\negresstrator-old:x:996:\nbroken\nodd:x::\n';

test.each([
  ['egresstrator', 997],
  ['root', 0],
  ['4711', 4711],
  ['egress', undefined],
  ['odd', undefined],
  ['broken', undefined],
  ['', undefined],
])('%s has the number %s', (group, number) => {
  expect(groupIn(FILE, group)).toBe(number);
});

test('a group that does not exist is told once, and the socket is the controller’s own', async () => {
  const log = new FakeLog();
  expect(await socketPlace({ socket: '/run/w/watch.sock', group: 'no-such-group-here' }, log)).toEqual({
    path: '/run/w/watch.sock',
    group: undefined,
  });
  expect(log.messages('warn')).toEqual([
    "no such group: only the controller's own group may use this socket",
  ]);
});
