/** A restart that no event told of must not be missed, whatever the list says. */
import { expect, test } from 'vitest';
import { runningFrom } from '../../../../src/sources/docker/answers.ts';
import { Relist } from '../../../../src/sources/docker/relist.ts';

const one = { id: 'a', digest: 'x', isSettled: true };
const begin = () => {
  const relist = new Relist();
  expect(relist.changed([one], 0)).toEqual(['a']);
  return relist;
};

test.each([
  ['is listed as before', one, 60_000, []],
  ['is listed otherwise', { ...one, digest: 'y' }, 60_000, ['a']],
  ['was started a moment ago', { ...one, isSettled: false }, 60_000, ['a']],
  ['may have been started long ago and after the last list', one, 120_000, ['a']],
  ['was seen by a clock that is wrong now', one, -1, ['a']],
])('one that %s', (_, now, at, expected) => {
  expect(begin().changed([now], at)).toEqual(expected);
});

test('one that was not there at the list before, and all after a loss', () => {
  const relist = begin();
  expect(relist.changed([], 60_000)).toEqual([]);
  expect(relist.changed([one], 120_000)).toEqual(['a']);
  expect(relist.changed([one], 180_000)).toEqual([]);
  relist.forget();
  expect(relist.changed([one], 181_000)).toEqual(['a']);
});

const listed = (changes: object) => {
  const json = { Id: 'a', Names: ['/web'], State: 'running', Status: 'Up 2 minutes', Ports: [], ...changes };
  return runningFrom([json], 'list')[0];
};

test.each([
  ['Up Less than a second', false],
  ['Up 59 seconds', false],
  ['Up About a minute', false],
  ['Up About a minute (healthy)', false],
  ['Restarting (1) 5 minutes ago', false],
  ['Up 2 minutes', true],
  ['Up 2 minutes (Paused)', true],
  ['Up About an hour', true],
  ['Up 3 weeks (health: starting)', true],
  ['text of an Engine to come', false],
])('the text for its age: %s', (Status, isSettled) => {
  expect(listed({ Status })).toMatchObject({ id: 'a', isSettled });
});

test('its digest is of what the list tells of it, without its age and its ports', () => {
  const digest = (changes: object) => listed(changes)?.digest;
  for (const same of [{ Status: 'Up 3 minutes' }, { Ports: [{}] }]) expect(digest(same)).toBe(digest({}));
  for (const other of [
    { Names: ['/db'] },
    { State: 'paused' },
    { Labels: { a: 'b' } },
    { HostConfig: { NetworkMode: 'host' } },
    { NetworkSettings: { Networks: { bridge: { IPAddress: '10.0.0.1' } } } },
  ]) {
    expect(digest(other)).not.toBe(digest({}));
  }
});
