/** Which rows of a table are shown, and in which order. */
import { expect, test } from 'vitest';
import { matching, parseSorting, sorted, sortingText } from '../../../page/ui/rows.ts';

test.each(['name', '-packets'])('a sorting stands in the query: %s', (text) => {
  const sorting = parseSorting(text);
  expect(sorting && sortingText(sorting)).toBe(text);
});

test('an empty text is no sorting', () => {
  expect(parseSorting('')).toBeUndefined();
});

const ROWS = [
  { name: 'web10', packets: 3 },
  { name: 'web2', packets: 20 },
  { name: 'Web1', packets: 3 },
];
const names = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name);

test('names are sorted as people count, numbers as numbers', () => {
  expect(names(sorted(ROWS, ({ name }) => name, false))).toEqual(['Web1', 'web2', 'web10']);
  expect(names(sorted(ROWS, ({ packets }) => packets, true))).toEqual(['web2', 'web10', 'Web1']);
});

test('without a value, rows stay as they are', () => {
  expect(sorted(ROWS, undefined, true)).toBe(ROWS);
});

test('a search finds rows that have all words, in either case', () => {
  const textOf = ({ name, packets }: (typeof ROWS)[number]) => `${name} ${packets}`;
  expect(names(matching(ROWS, 'WEB 3', textOf))).toEqual(['web10', 'Web1']);
  expect(matching(ROWS, '  ', textOf)).toBe(ROWS);
  expect(matching(ROWS, 'web x', textOf)).toEqual([]);
});
