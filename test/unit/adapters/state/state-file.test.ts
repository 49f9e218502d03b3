/** What is kept on disk comes back as it was, or not at all. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decode, encode, StateFile } from '../../../../src/adapters/state/state-file.ts';
import type { Knowledge } from '../../../../src/controller/known-world.ts';
import { FakeLog } from '../../../support/fake-world.ts';

const knowledgeOf = (text: string): Knowledge => ({
  rules: new Map([['db', text]]),
  services: new Map([['web', [{ address: '10.0.0.1', port: 80, tags: ['a'], node: 'n1' }]]]),
});

let folder: string;
let log: FakeLog;
const path = () => join(folder, 'state', 'known.json');
const open = (retryAfter?: number) => new StateFile(join(folder, 'state'), log, retryAfter);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-state-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the last of several is kept, readable by its owner alone, with nothing beside it', async () => {
  const file = open();
  for (const text of ['one', 'two', 'three']) file.save(knowledgeOf(text));
  await file.close();
  expect(await open().load()).toEqual(knowledgeOf('three'));
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, 'state'))).toEqual(['known.json']);
  expect(log.messages('warn')).toEqual([]);
});

test('where there is no file, nothing is known and nothing is said', async () => {
  expect(await open().load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([]);
});

test('what could not be written is tried again, and reported once', async () => {
  writeFileSync(join(folder, 'state'), 'a file where the folder should be');
  const file = open(10);
  file.save(knowledgeOf('old'));
  file.save(knowledgeOf('new'));
  await vi.waitFor(() => expect(log.messages('warn')).toHaveLength(1));
  rmSync(join(folder, 'state'));
  await vi.waitFor(() => expect(decode(readFileSync(path(), 'utf8'))).toEqual(knowledgeOf('new')));
  await file.close();
  expect(log.messages('warn')).toEqual(['last known rules could not be kept on disk']);
});

describe('a file that is', () => {
  const text = encode(knowledgeOf('10.0.0.1:tcp/80'));
  test.each([
    ['empty', '', 'not a state file'],
    ['no JSON', 'garbage', 'not a state file'],
    ['another JSON', '{"rules":[]}', 'not a state file'],
    ['cut short', text.slice(0, -20), 'not a state file'],
    ['of a newer version', text.replace('"version":1', '"version":2'), 'has version 2'],
    ['damaged', text.replace('tcp/80', 'tcp/81'), 'checksum does not fit'],
  ])('%s is ignored with a warning', async (_what, content, reason) => {
    const file = open();
    file.save(knowledgeOf('x'));
    await file.close();
    writeFileSync(path(), content);
    expect(await open().load()).toBeUndefined();
    expect(log.messages('warn')).toEqual(['last known rules can not be used; starting without them']);
    expect(() => decode(content)).toThrow(reason);
  });
});

test('no damage to a single character goes unnoticed or changes what is known', () => {
  const known = knowledgeOf('10.0.0.1:tcp/80\n10.0.0.2:udp/53');
  const text = encode(known);
  fc.assert(
    fc.property(fc.nat(text.length - 2), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const damaged = text.slice(0, at) + character + text.slice(at + 1);
      let read: Knowledge | undefined;
      try {
        read = decode(damaged);
      } catch {
        return;
      }
      expect(read).toEqual(known);
    }),
  );
});
