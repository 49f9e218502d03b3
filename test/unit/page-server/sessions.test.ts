/** Sessions of the page: they end, and there are never too many. */
import { expect, test } from 'vitest';
import { Sessions } from '../../../src/page-server/sessions.ts';

function sessions(most = 3) {
  let now = 0;
  const secrets = ['secret 1', 'secret 2', 'secret 3', 'secret 4'].values();
  const all = new Sessions({
    most,
    idle: 10,
    whole: 25,
    secret: () => secrets.next().value ?? '',
    now: () => now,
  });
  const wait = (ms: number) => {
    now += ms;
  };
  return { all, wait };
}

test('one ends some time after its last use, and in any case after the whole time', () => {
  const { all, wait } = sessions();
  const secret = all.begin();
  const id = all.find(secret) ?? '';
  wait(9);
  expect(all.use(id)).toBe(true);
  wait(9);
  expect(all.find(secret)).toBe(id);
  wait(8);
  expect(all.use(id)).toBe(false);
  const other = all.begin();
  wait(10);
  expect(all.find(other)).toBeUndefined();
});

test('where there are too many, the one that was used longest ago ends', () => {
  const { all } = sessions();
  const [first, second, third] = [all.begin(), all.begin(), all.begin()];
  expect(all.find(first)).toBeDefined();
  all.begin();
  expect([first, second, third].map((secret) => all.find(secret) !== undefined)).toEqual([true, false, true]);
});

test('no other secret opens one', () => {
  const { all } = sessions();
  all.begin();
  for (const wrong of ['', 'secret', 'secret 1 ', 'secret 2', '__proto__'])
    expect(all.find(wrong)).toBeUndefined();
});
