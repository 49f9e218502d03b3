/** Ports that were opened or closed by hand come back as they were kept, or not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { PortOverridesFile } from '../../../../src/daemon/state/port-overrides-file.ts';
import type { PersistedPorts } from '../../../../src/features/host/port-overrides.ts';
import { FakeLog } from '../../../support/fakes.ts';
import { prefix } from '../../../support/host-claims.ts';

const PORTS: PersistedPorts = new Map([
  [
    'a@1',
    [
      { kind: 'open', protocol: 'tcp', port: 80, from: [prefix('198.51.100.0/24')], since: 5 },
      { kind: 'close', protocol: 'udp', port: 53, from: 'anyone', since: 6 },
    ],
  ],
]);

let folder: string;
let log: FakeLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-ports-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('they are kept', async () => {
  const file = new PortOverridesFile(folder, log);
  file.save(PORTS);
  await file.close();
  expect(await new PortOverridesFile(folder, log).load()).toEqual(PORTS);
});

test.each([
  ['a port that is none', '"tcp","port":0,"from":"anyone"'],
  ['a caller that is no prefix', '"tcp","port":80,"from":["198.51.100.0/33"]'],
  ['a protocol without ports', '"icmp","port":8,"from":"anyone"'],
])('a file with %s opens nothing', async (_what, words) => {
  const text = `{"ports":[["a@1",[{"kind":"open","since":1,"protocol":${words}}]]]}`;
  writeFileSync(join(folder, 'ports.json'), seal(text));
  expect(await new PortOverridesFile(folder, log).load()).toBeUndefined();
  expect(log.messages('warn')).toEqual(['ports opened or closed by hand cannot be used; ignoring the file']);
});
