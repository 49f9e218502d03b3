/** Events as Engines 20.10 and 28.5 send them; both send more fields than these. */
import { expect, test } from 'vitest';
import { affectedBy } from '../../../../src/sources/docker/events.ts';

const event = (Type: string, Action: string, Actor: object) => ({
  Type,
  Action,
  Actor,
  scope: 'local',
  time: 1,
  timeNano: 1,
});

test('of a container: the container', () => {
  const start = event('container', 'start', { ID: 'c1', Attributes: { image: 'i', name: 'n' } });
  expect(affectedBy(start)).toEqual({ kind: 'container', id: 'c1', isStart: true });
});

test('of a network: the container that is an attribute', () => {
  const connect = event('network', 'connect', { ID: 'n1', Attributes: { container: 'c1', name: 'n' } });
  expect(affectedBy(connect)).toEqual({ kind: 'container', id: 'c1', isStart: false });
});

test.each(['create', 'destroy', 'remove'])('of a network that comes or goes: the network (%s)', (action) => {
  const change = event('network', action, { ID: 'n1', Attributes: { name: 'n', type: 'bridge' } });
  expect(affectedBy(change)).toEqual({ kind: 'network', id: 'n1' });
});

test.each([
  event('container', 'exec_start: sh', { ID: 'c1', Attributes: {} }),
  event('container', 'exec_die', { ID: 'c1', Attributes: {} }),
  event('container', 'health_status: healthy', { ID: 'c1', Attributes: {} }),
  event('container', 'create', { ID: 'c1', Attributes: { name: 'n' } }),
  event('network', 'connect', { ID: 'n1', Attributes: null }),
  event('image', 'pull', { ID: 'i1' }),
])('of no concern: $Type $Action', (json) => {
  expect(affectedBy(json)).toEqual({ kind: 'none' });
});

test.each([undefined, null, {}, { status: 'start', id: 'c1' }])(
  'not understood: look at all (%j)',
  (json) => {
    expect(affectedBy(json)).toEqual({ kind: 'all' });
  },
);
