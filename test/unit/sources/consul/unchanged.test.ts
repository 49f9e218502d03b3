/** What came before is not read again. */
import { expect, test } from 'vitest';
import { unlessUnchanged } from '../../../../src/sources/consul/unchanged.ts';

/** A reader that counts. */
function counting() {
  const read: string[] = [];
  const take = unlessUnchanged((body) => {
    const text = body.toString('utf8');
    read.push(text);
    if (text === 'bad') throw new Error('bad');
    return { text };
  });
  return { read, take };
}

test('equal bytes are read once, and the result is the same object', () => {
  const { read, take } = counting();
  const first = take(Buffer.from('[1]'));
  expect(take(Buffer.from('[1]'))).toBe(first);
  expect(take(Buffer.from('[2]'))).toEqual({ text: '[2]' });
  expect(take(Buffer.from('[1]'))).toEqual(first);
  expect(read).toEqual(['[1]', '[2]', '[1]']);
});

test('what cannot be read fails each time, and what was read before is still known', () => {
  const { read, take } = counting();
  const good = take(Buffer.from('good'));
  for (const body of ['bad', 'bad']) expect(() => take(Buffer.from(body))).toThrow('bad');
  expect(take(Buffer.from('good'))).toBe(good);
  expect(read).toEqual(['good', 'bad', 'bad']);
});

test('a body that its owner writes over afterwards is not taken for the old one', () => {
  const { take } = counting();
  const body = Buffer.from('[1]');
  take(body);
  body.write('[2]');
  expect(take(body)).toEqual({ text: '[2]' });
});

test('an empty body is a body', () => {
  const { read, take } = counting();
  take(Buffer.alloc(0));
  take(Buffer.alloc(0));
  expect(read).toEqual(['']);
});
