/** A state folder is of one controller at a time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimState } from '../../../../src/daemon/state/folder-lock.ts';

let folder: string;
let first: Server;
const socket = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egt-holder-'));
  first = createServer();
  await new Promise<void>((resolve) => first.listen(socket('first'), resolve));
  await claimState(folder, socket('first'));
});
afterEach(async () => {
  await new Promise((resolve) => first.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

test('a second controller is told which one holds it, and changes nothing', async () => {
  await expect(claimState(folder, socket('second'))).rejects.toThrow(
    `another controller, at ${socket('first')}, uses ${folder}; stop it, or give this one another --state-dir`,
  );
  expect(readFileSync(join(folder, 'controller.json'), 'utf8')).toContain('first');
});

test('one that ended holds nothing, and the same one may begin anew', async () => {
  await claimState(folder, socket('first'));
  await new Promise((resolve) => first.close(resolve));
  await claimState(folder, socket('second'));
  expect(readFileSync(join(folder, 'controller.json'), 'utf8')).toContain('second');
});

test('what is no such file, or no folder, is no reason to stop', async () => {
  writeFileSync(join(folder, 'controller.json'), '{"socket":7');
  await claimState(folder, socket('second'));
  await claimState(join(folder, 'nowhere'), socket('second'));
});
