/** What was loaded comes back as it was kept, or not at all. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LoadsFile } from '../../../../src/daemon/state/loads-file.ts';
import type { Loads } from '../../../../src/reconciler/load-records.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeLog } from '../../../support/fakes.ts';

const loadsOf = (...digests: readonly string[]): Loads =>
  new Map(
    digests.map((digest, at) => [
      `c${at}@0`,
      { attachments: 'net', fingerprint: 'f', facts: undefined, digest },
    ]),
  );

let folder: string;
let log: FakeLog;
const path = () => join(folder, 'loads.json');
const open = (reader = 'v1', pause = 0) => new LoadsFile(folder, reader, log, { pause, retryAfter: 10 });
/** Changes with each replacement. */
const version = () => statSync(path()).ino;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-loads-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the last of several is kept, readable by its owner alone', async () => {
  const file = open();
  for (const digest of ['a', 'b', 'c']) file.save(loadsOf(digest, digest));
  await file.close();
  expect(await open().load()).toEqual(loadsOf('c', 'c'));
  expect(statSync(path()).mode & 0o777).toBe(0o600);
});

test('it does not count for who would list rules in other words', async () => {
  const file = open();
  file.save(loadsOf('a'));
  await file.close();
  expect(await open('v2').load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([]);
});

test.each([
  ['empty', ''],
  ['another JSON', '[]'],
  ['damaged', undefined],
])('a file that is %s is ignored with a warning', async (_what, content) => {
  const file = open();
  file.save(loadsOf('digest'));
  await file.close();
  writeFileSync(path(), content ?? readFileSync(path(), 'utf8').replace('digest', 'other'));
  expect(await open().load()).toBeUndefined();
  expect(log.messages('warn')).toEqual(['record of loads cannot be used; ignoring the file']);
});

test('many changes at once cost one write now, one later, and none is lost', async () => {
  const file = open('v1', 300);
  file.save(loadsOf('first'));
  await eventually(async () => expect(await open().load()).toEqual(loadsOf('first')));
  const first = version();
  for (let n = 0; n < 200; n += 1) file.save(loadsOf(`n${n}`));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(version()).toBe(first);
  await eventually(async () => expect(await open().load()).toEqual(loadsOf('n199')));
  file.save(loadsOf('last'));
  await file.close();
  expect(await open().load()).toEqual(loadsOf('last'));
});

test('what could not be written is tried again, and reported once', async () => {
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'a file where the folder should be');
  const file = open();
  file.save(loadsOf('old'));
  file.save(loadsOf('new'));
  await eventually(() => expect(log.messages('warn')).toHaveLength(1));
  rmSync(folder);
  await eventually(async () => expect(await open().load()).toEqual(loadsOf('new')));
  await file.close();
  expect(log.messages('warn')).toHaveLength(1);
});
