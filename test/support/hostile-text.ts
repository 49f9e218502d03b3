/** Texts of characters that control a terminal, break lines, or are invisible. */
import fc from 'fast-check';

const range = (first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));

const CONTROLS = [
  ...range(0, 0x1f),
  ...range(0x7f, 0x9f),
  ...range(0x200b, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x2069),
  ...['\u00ad', '\u061c', '\ufeff', '\u{e0041}', '\ud800', '\udfff', '\ufff9'],
];

const PIECES = [
  'EVIL',
  '[31m',
  '[2J',
  ']0;t',
  '"',
  "'",
  '\\',
  '$(id)',
  ' ',
  '@',
  ',',
  '#',
  '…',
  'é',
  '\u{1f600}',
];

/** Each text begins with an `x`, so that a line that begins with EVIL proves an injected line break. */
export const hostileText = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...CONTROLS) }, fc.constantFrom(...PIECES)), {
    minLength: 1,
    maxLength: 120,
  })
  .map((parts) => `x${parts.join('')}`);
