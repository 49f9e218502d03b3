/** Removing a folder of ours takes what is ours in it, and nothing that others put there. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Folder, findFolder } from '../../../src/cli/uninstall/folder-step.ts';

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'egt-folder-'));
  path = join(root, 'state');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function removed(more: Partial<Folder> = {}): Promise<string | undefined> {
  const [step] = await findFolder({
    part: 'state',
    path,
    seenAt: path,
    ours: ['known.json', 'gate'],
    ...more,
  });
  if (step === undefined) return 'no step';
  return step.remove();
}

test('a folder that is not there is no step', async () => {
  expect(await removed()).toBe('no step');
});

test('files, folders and half-written files of ours go, and the folder with them', async () => {
  mkdirSync(join(path, 'gate', 'deep'), { recursive: true });
  for (const name of ['known.json', 'known.json.1234567']) writeFileSync(join(path, name), '');
  expect(await removed()).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

test('what others put there stays, and is told', async () => {
  mkdirSync(path);
  for (const name of ['known.json', 'known.json.bak', 'mine.txt']) writeFileSync(join(path, name), '');
  expect(await removed()).toBe('it has files of others: known.json.bak, mine.txt');
  expect(readdirSync(path).sort()).toEqual(['known.json.bak', 'mine.txt']);
});

test('a link of ours is removed, not what it leads to', async () => {
  mkdirSync(path);
  mkdirSync(join(root, 'elsewhere'));
  writeFileSync(join(root, 'elsewhere', 'file'), '');
  symlinkSync(join(root, 'elsewhere'), join(path, 'gate'));
  expect(await removed()).toBeUndefined();
  expect(readdirSync(join(root, 'elsewhere'))).toEqual(['file']);
});

test('what still needs it keeps all of it', async () => {
  mkdirSync(join(path, 'gate'), { recursive: true });
  expect(await removed({ keptFor: async () => 'the gate needs it' })).toBe('the gate needs it');
  expect(readdirSync(path)).toEqual(['gate']);
});
