import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from '../../../../src/sources/docker/json-lines.ts';

async function* each(chunks: readonly Uint8Array[]) {
  yield* chunks;
}

const linesOf = (...chunks: readonly (string | Uint8Array)[]) =>
  Array.fromAsync(jsonLines(each(chunks.map((chunk) => Buffer.from(chunk)))));

test('several in one chunk, one over several chunks', async () => {
  expect(await linesOf('{"a":1}\n{"a":2}\n{"a"', ':', '3}\n')).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
});

test('a last line with no end, empty lines, CRLF', async () => {
  expect(await linesOf('\n{"a":1}\r\n\n', '{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
});

test('what is no JSON is told as undefined, and the next line is read', async () => {
  expect(await linesOf('{"a":\n{"b":1}\n')).toEqual([undefined, { b: 1 }]);
});

test('a line that never ends does not fill the memory', async () => {
  const much = 'x'.repeat(400_000);
  expect(await linesOf(much, much, much, much, '\n{"b":1}\n')).toEqual([undefined, { b: 1 }]);
});

test('any values survive any cuts, also inside a character', async () => {
  const values = fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), number: fc.integer() }));
  await fc.assert(
    fc.asyncProperty(values, fc.array(fc.nat(400)), async (written, cuts) => {
      const bytes = Buffer.from(written.map((value) => `${JSON.stringify(value)}\n`).join(''));
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      expect(await linesOf(...chunks)).toEqual(written);
    }),
  );
});
