/** The text that one tries, beside the text in Consul, which others edit meanwhile. */
import { expect, test } from 'vitest';
import { type DiffLine, lineDiff, withContext } from '../../../page/rules/line-diff.ts';
import { draftState, followed, newDraft, withLine } from '../../../page/screens/what-if/draft.ts';
import { gutterParts, severities } from '../../../page/ui/gutter.ts';

test('a line is added once, on a line of its own', () => {
  expect(withLine('redis', 'db')).toBe('redis\ndb\n');
  expect(withLine('redis\n', 'db')).toBe('redis\ndb\n');
  expect(withLine('', 'db')).toBe('db\n');
  expect(withLine('db\nredis', 'db')).toBe('db\nredis');
});

test('a text that nobody has touched follows Consul', () => {
  expect(followed(newDraft('a'), 'b')).toEqual({ base: 'b', text: 'b' });
});

test('an edited text stays, and a change in Consul is told', () => {
  const draft = { base: 'a', text: 'a\nmine' };
  expect(draftState(draft, 'a')).toBe('edited');
  expect(followed(draft, 'other')).toBe(draft);
  expect(draftState(draft, 'other')).toBe('conflict');
});

test('a text that was stored is the one in Consul', () => {
  const draft = followed({ base: 'a', text: 'mine' }, 'mine\n');
  expect(draft).toEqual({ base: 'mine\n', text: 'mine' });
  expect(draftState(draft, 'mine\n')).toBe('same');
});

const shown = (lines: readonly (DiffLine | undefined)[]) =>
  lines.map((one) => (one === undefined ? '…' : `${one.kind} ${one.line} ${one.text}`));

test('lines that differ are found, with their numbers', () => {
  expect(shown(lineDiff('a\nb\nc\n', 'a\nx\nc\nd\n'))).toEqual([
    'same 1 a',
    'removed 2 b',
    'added 2 x',
    'same 3 c',
    'added 4 d',
  ]);
});

test('long texts are compared too, as replaced', () => {
  const numbers = (from: number) => Array.from({ length: 1200 }, (_, at) => String(from + at)).join('\n');
  const kinds = Map.groupBy(lineDiff(`a\n${numbers(0)}\nz`, `a\n${numbers(5000)}\nz`), ({ kind }) => kind);
  expect([...kinds].map(([kind, lines]) => [kind, lines.length])).toEqual([
    ['same', 2],
    ['removed', 1200],
    ['added', 1200],
  ]);
});

test('of lines that are the same only the near ones are shown', () => {
  const text = ['1', '2', '3', '4', '5', '6', '7'];
  expect(shown(withContext(lineDiff(text.join('\n'), text.with(3, 'x').join('\n')), 1))).toEqual([
    'same 3 3',
    'removed 4 4',
    'added 4 x',
    'same 5 5',
  ]);
});

test('the worst finding of a line is its sign', () => {
  const marks = severities([
    { line: 2, severity: 'info' },
    { line: 2, severity: 'error' },
    { severity: 'warning' },
  ]);
  expect(gutterParts(3, marks)).toEqual([
    { text: '1\n' },
    { severity: 'error', text: '× 2\n' },
    { text: '3\n' },
  ]);
});
