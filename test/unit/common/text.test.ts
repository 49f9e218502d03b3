/** How texts of others are shown. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  printable,
  printableJson,
  printableLines,
  quote,
  shellWord,
  shown,
} from '../../../src/common/text.ts';
import { hostileText } from '../../support/hostile-text.ts';

test.each([
  ['plain é \u{1f600}', 'plain é \u{1f600}'],
  ['\u001b[2J', '\\x1b[2J'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\u0085\u009b\u007f', '\\x85\\x9b\\x7f'],
  ['\u202e\u200b\u2066\ufeff\u2028', '\\u202e\\u200b\\u2066\\ufeff\\u2028'],
  ['\u{e0041}\ud800', '\\u{e0041}\\ud800'],
  ['x'.repeat(81), `${'x'.repeat(80)}…`],
])('%j', (text, expected) => expect(printable(text)).toBe(expected));

describe('any text', () => {
  test('is one line without controls', () => {
    fc.assert(fc.property(hostileText, (text) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(quote(text))));
  });

  test('is the same value in JSON, which has none but line ends', () => {
    const property = (text: string) => {
      const json = printableJson(JSON.stringify({ [text]: [text] }, null, 2));
      expect(json.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
    };
    fc.assert(fc.property(hostileText, property));
  });
});

test('of lines, line ends and tabs stay, and what is excepted', () => {
  expect(printableLines('a\n\tb\u001b[1m\u0007<b>', /<b>/gu)).toBe('a\n\tb\\x1b[1m\\x07<b>');
});

test('a value is copied with all its texts and names fit to be shown, and the rest as it was', () => {
  const value = { number: 1n, list: ['\n', { 'a\u001b': undefined }], none: null };
  expect(shown(value)).toEqual({ number: 1n, list: ['\\n', { 'a\\x1b': undefined }], none: null });
  expect(value.list).toEqual(['\n', { 'a\u001b': undefined }]);
  expect(shown('x'.repeat(2_000))).toBe(`${'x'.repeat(1_000)}…`);
});

test.each([
  ['db', 'db'],
  ['a b', "'a b'"],
  ["it's", "'it'\\''s'"],
  ['$(id)', "'$(id)'"],
  ['', "''"],
])('%j as a word of a shell', (text, expected) => expect(shellWord(text)).toBe(expected));
