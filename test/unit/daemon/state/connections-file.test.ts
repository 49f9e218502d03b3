/** Forwards and permits whose connections may be there come back as they were kept, or not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConnectionRecords } from '../../../../src/daemon/connection-records.ts';
import { ConnectionsFile } from '../../../../src/daemon/state/connections-file.ts';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { FakeLog } from '../../../support/fakes.ts';

let folder: string;
let log: FakeLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-connections-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('they are kept, without those of namespaces that are gone', async () => {
  const file = new ConnectionsFile(folder, log);
  const records = new ConnectionRecords(await file.load(), (all) => file.save(all));
  records.of('host').persist(new Set(['tcp 80 172.18.0.2 8080']));
  records.of('vpn@1').persist(new Set(['tcp 90 172.18.0.2 80']));
  records.of('web@1').persist(new Set());
  records.retain((one) => one === 'host');
  await file.close();
  const kept = new ConnectionRecords(await new ConnectionsFile(folder, log).load());
  expect(kept.of('host').previous).toEqual(new Set(['tcp 80 172.18.0.2 8080']));
  expect(kept.of('vpn@1').previous).toEqual(new Set());
});

test('a file of another form counts as none', async () => {
  writeFileSync(join(folder, 'connections.json'), seal('{"outdated":{}}'));
  expect(await new ConnectionsFile(folder, log).load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([
    'the connections of removed forwards and permits cannot be used; ignoring the file',
  ]);
});
