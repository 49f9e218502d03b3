/** What a controller applied last is known whatever the path of its file was; a controller starts with that of its own file alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LastNetworksFile, lastNetworksText } from '../../../../src/daemon/state/networks-file.ts';
import { FakeLog } from '../../../support/fakes.ts';

let folder: string;
const log = new FakeLog();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egt-networks-'));
  const file = new LastNetworksFile(folder, '/etc/user/config/networks.json', log);
  file.save('{}');
  await file.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a controller with another file does not start with it', async () => {
  expect(await new LastNetworksFile(folder, '/etc/user/config/networks.json', log).load()).toBe('{}');
  expect(await new LastNetworksFile(folder, '/etc/other.json', log).load()).toBeUndefined();
});

test('a command that names no file of --networks, or another one, knows it', async () => {
  expect(await lastNetworksText(folder, log)).toBe('{}');
  rmSync(join(folder, 'networks.json'));
  expect(await lastNetworksText(folder, log)).toBeUndefined();
  expect(log.messages('warn')).toEqual([]);
});
