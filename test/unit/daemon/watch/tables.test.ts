/** Tables of the live state that have rules of their own: calls, names, the host, services that nobody watches. */
import { expect, test } from 'vitest';
import { atOnce } from '../../../../src/common/slices.ts';
import type { EndedReport } from '../../../../src/daemon/deny-log.ts';
import { callTable } from '../../../../src/daemon/watch/call-table.ts';
import { DeniedRows } from '../../../../src/daemon/watch/denied-tables.ts';
import { HostAnswers } from '../../../../src/daemon/watch/host-tables.ts';
import { NameRows } from '../../../../src/daemon/watch/name-tables.ts';
import { steadyOffset } from '../../../../src/daemon/watch/steady-offset.ts';
import { UnwatchedServices } from '../../../../src/daemon/watch/unwatched-services.ts';
import { HOST_OFF } from '../../../../src/diagnostics/host-view.ts';
import type { NamespaceView } from '../../../../src/diagnostics/snapshot.ts';
import { NO_REPORT } from '../../../../src/features/names/name-report.ts';
import type { DeniedFlow, DeniedReport } from '../../../../src/inventory/denied-record.ts';
import { type ServiceRef, serviceName } from '../../../../src/inventory/service.ts';
import { EMPTY_STATE } from '../../../../src/live/state.ts';
import { parseAcl } from '../../../../src/policy/acl.ts';

const call = (port: number, lastSeenAt: number) => ({
  ...{ source: '192.0.2.9', address: '192.0.2.2', container: 'web', protocol: 'tcp', port },
  ...{ packets: 1, firstSeenAt: 1, lastSeenAt },
});

test('of a scan of all ports the latest calls have room', () => {
  const calls = Array.from({ length: 20_000 }, (_, index) => call(index, index));
  const { deniedCalls } = atOnce(callTable(EMPTY_STATE, calls));
  expect(deniedCalls.size).toBe(5_000);
  expect([...deniedCalls.values()].every(({ port = 0 }) => port >= 15_000)).toBe(true);
});

test('a call that two gates denied is two rows', () => {
  const both = [call(80, 1), { ...call(80, 1), gate: 'ingress' as const }];
  expect(atOnce(callTable(EMPTY_STATE, both)).deniedCalls.size).toBe(2);
});

const flow = (port: number, lastSeenAt: number): DeniedFlow => ({
  ...{ address: '10.0.0.1', protocol: 'tcp', port, packets: 1, firstSeenAt: 1, lastSeenAt },
});
const report = (container: string, destinations: readonly DeniedFlow[]): DeniedReport => ({
  ...{ container, workloads: [container], mode: 'enforce', destinations, covers: 600_000, readAt: 9 },
});

test('one workload that scans takes no room of others', () => {
  const scans = Array.from({ length: 60_000 }, (_, index) => flow(index, index));
  const reports = [report('scanner', scans), report('web', [flow(443, 1)])];
  const input = { reports, ended: [], grantsOf: () => [], index: undefined };
  const { denied, deniedRecords } = atOnce(new DeniedRows().tables(EMPTY_STATE, input));
  expect([...denied.values()].filter(({ container }) => container === 'web')).toHaveLength(1);
  expect(denied.size).toBe(10_001);
  expect(deniedRecords.get('scanner')?.omitted).toBe(50_000);
  expect(deniedRecords.get('web')?.omitted).toBeUndefined();
});

test('what was denied to a container that has ended stays, with the keys and the mode with which it ran', () => {
  const rows = new DeniedRows();
  const tablesOf = (reports: readonly DeniedReport[], ended: readonly EndedReport[]) =>
    atOnce(rows.tables(EMPTY_STATE, { reports, ended, grantsOf: () => ['db'], index: undefined }));
  const destinations = [flow(443, 1)];
  const [running] = [...tablesOf([report('job', destinations)], []).denied.values()];
  expect(running?.ended).toBeUndefined();
  const ended = tablesOf([], [{ container: 'job', mode: 'enforce', grants: ['db'], destinations }]);
  expect([...ended.denied.values()]).toMatchObject([
    { container: 'job', port: 443, ended: { mode: 'enforce', grants: ['db'] } },
  ]);
  expect(ended.deniedRecords.size).toBe(0);
});

test('of thousands of containers that have ended, the latest have room', () => {
  const ended = Array.from({ length: 2_000 }, (_, index) => ({
    ...{ container: `job-${index}`, mode: 'enforce' as const, grants: [] },
    destinations: Array.from({ length: 60 }, (_each, port) => flow(port, index)),
  }));
  const input = { reports: [report('web', [flow(443, 1)])], ended, grantsOf: () => [], index: undefined };
  const { denied } = atOnce(new DeniedRows().tables(EMPTY_STATE, input));
  expect(denied.size).toBeLessThan(20_000);
  const containers = new Set([...denied.values()].map(({ container }) => container));
  expect([containers.has('web'), containers.has('job-1999'), containers.has('job-0')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('denied names have the keys with a rule about them, and times by the host’s clock', () => {
  const denied = {
    name: 'db.example',
    cause: 'name' as const,
    types: ['A'],
    count: 2,
    firstSeenAt: 1,
    lastSeenAt: 5,
  };
  const view: NamespaceView = {
    ...{
      id: 'web@0',
      workloads: ['web'],
      ids: ['web'],
      target: 'web',
      grants: [],
      mode: 'enforce',
      dns: 'names',
    },
    names: { ...NO_REPORT, denied: [denied] },
  };
  const acl = parseAcl(new Map([['db', 'db.example:tcp/5432']]));
  const rows = new NameRows();
  const first = atOnce(rows.tables(EMPTY_STATE, [view], acl, 1_000));
  expect([...first.deniedNames.values()]).toMatchObject([
    { container: 'web', name: 'db.example', keys: ['db'], lastSeenAt: 1_005 },
  ]);
  const again = atOnce(rows.tables({ ...EMPTY_STATE, ...first }, [{ ...view }], acl, 1_000));
  expect([again.names, again.deniedNames]).toEqual([first.names, first.deniedNames]);
  expect(again.deniedNames).toBe(first.deniedNames);
});

test('the answer about the host is made again only if what it is made of has changed', () => {
  const answers = new HostAnswers();
  const status = { namespaces: [], sources: [], unsupported: [] };
  const look = (view = HOST_OFF) => answers.tables(EMPTY_STATE, view, status, 0).host.get('host');
  const first = look();
  expect(first).toMatchObject({ state: 'off', openings: [] });
  expect(look({ ...HOST_OFF })).toBe(first);
  expect(look({ ...HOST_OFF, lastError: 'broken' })).toMatchObject({ lastError: 'broken' });
});

test('the difference of clocks stays until the host’s clock is set', () => {
  let [wall, steady] = [10_000, 0];
  const offset = steadyOffset(
    () => wall,
    () => steady,
  );
  expect(offset()).toBe(10_000);
  [wall, steady] = [10_051, 50];
  expect(offset()).toBe(10_000);
  wall += 3_600_000;
  expect(offset()).toBe(wall - steady);
});

test('services that nobody watches are read once a minute, and a failure is said', async () => {
  const asked: string[] = [];
  let now = 1_000_000;
  const reader = {
    readService: async (ref: ServiceRef) => {
      asked.push(serviceName(ref));
      if (ref.service === 'cache') throw new Error('refused');
      return [{ address: '10.0.0.5', port: 1, tags: [], node: 'far' }];
    },
  };
  const acl = parseAcl(new Map([['web', 'postgres\ncache\nwatched']]));
  const watched = new Map([['watched', []]]);
  const read = Promise.withResolvers<void>();
  const services = new UnwatchedServices(reader, () => now, read.resolve);
  expect(services.of(acl, watched).get('postgres')?.unread).toBeDefined();
  await read.promise;
  expect(services.of(acl, watched).get('postgres')).toMatchObject({ instances: [{ address: '10.0.0.5' }] });
  expect(services.of(acl, watched).get('cache')).toEqual({ instances: [], unread: 'refused' });
  expect(asked).toEqual(['postgres', 'cache']);
  now += 59_000;
  services.of(acl, watched);
  expect(asked).toHaveLength(2);
  now += 2_000;
  services.of(acl, watched);
  expect(asked.length).toBeGreaterThan(2);
  services.close();
});
