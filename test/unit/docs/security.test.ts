/**
 * docs/security.md names the tests that hold its promises: they must be there, and its table of hostile
 * attempts must be the one that the suite makes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inCheckout } from '../../../lab/paths.ts';
import { attempts, customAttempts } from '../../hostile/all.ts';
import { HEAD } from '../../hostile/table.ts';

const text = readFileSync(inCheckout('docs/security.md'), 'utf8');
const files = readdirSync(inCheckout('test'), { recursive: true }).map(String);

/** `not tried`: with the gate, where the gate has no part in it. */
const GOOD = ['stopped', 'reported', 'does not start', 'not tried'];

/** The rows below the head of the suite's table. */
function rows(): readonly (readonly string[])[] {
  const lines = text
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
  const head = lines.findIndex((cells) => cells.join() === Object.values(HEAD).join());
  const body = lines.slice(head + 2);
  return body.slice(
    0,
    body.findIndex((cells) => cells.length !== Object.keys(HEAD).length),
  );
}

test('its table holds every attempt of the hostile suite, and no other', () => {
  const names = [...attempts, ...customAttempts].map(({ name }) => name);
  expect(names.length).toBeGreaterThan(40);
  expect(rows().map(([name]) => name)).toEqual(names);
});

test('no attempt of its table succeeds', () => {
  expect(rows().map(([, control]) => control)).toEqual(rows().map(() => 'works'));
  const outcomes = new Set(rows().flatMap(([, , ...outcomes]) => outcomes));
  expect([...outcomes].filter((outcome) => !GOOD.includes(outcome))).toEqual([]);
});

test('each test that it names is there', () => {
  const named = [...text.matchAll(/`([\w/-]+\.test)`/g)].map(([, name]) => `/${name}.ts`);
  expect(named.length).toBeGreaterThan(20);
  const isThere = (name: string) => files.some((file) => `/${file}`.endsWith(name));
  expect([...new Set(named)].filter((name) => !isThere(name))).toEqual([]);
});

test('it names each test as one, or nothing would hold the name to a file', () => {
  // `escape` stands for a whole suite, as the document says.
  const tests = new Set(files.flatMap((file) => /([\w-]+)\.test\.ts$/.exec(file)?.[1] ?? []));
  const bare = [...text.matchAll(/`([\w-]+)`/g)].flatMap(([, word = '']) => (tests.has(word) ? [word] : []));
  expect([...new Set(bare)]).toEqual(['escape']);
});

test('each file of tests that it names is there', () => {
  const named = [...text.matchAll(/`test\/([\w/.-]+\.ts)`/g)].map(([, file]) => file);
  expect(named.filter((file) => !files.includes(file ?? ''))).toEqual([]);
});
