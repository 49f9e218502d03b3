import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Frames } from '../../../../src/sources/docker/frames.ts';

function frame(kind: number, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

test('stdout and stderr, interleaved and cut anywhere', () => {
  const words = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.string({ unit: 'grapheme' })));
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 13 }), (chunks, step) => {
      const bytes = Buffer.concat(chunks.map(([kind, text]) => frame(kind, text)));
      const frames = new Frames(1_000_000);
      for (let at = 0; at < bytes.length; at += step) frames.write(bytes.subarray(at, at + step));
      const all = (wanted: number) =>
        chunks.flatMap(([kind, text]) => (kind === wanted ? [text] : [])).join('');
      expect(frames.output).toEqual({ stdout: all(1), stderr: all(2), truncated: false });
    }),
  );
});

test('more than is wanted is dropped, of each stream by itself', () => {
  const frames = new Frames(4);
  for (const chunk of [frame(1, 'abc'), frame(2, 'xy'), frame(1, 'def'), frame(2, 'z')]) frames.write(chunk);
  expect(frames.output).toEqual({ stdout: 'abcd', stderr: 'xyz', truncated: true });
});
