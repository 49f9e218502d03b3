/** Refusals are collected, compared with before, logged once per window, and counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { DenyLog } from '../../../src/daemon/deny-log.ts';
import { DeniedFile } from '../../../src/daemon/state/denied-file.ts';
import { STATE_FILES } from '../../../src/daemon/state/file-names.ts';
import { planNamespaces, type WorkloadNamespace } from '../../../src/features/egress/workload-namespaces.ts';
import type { Denied } from '../../../src/inventory/denied-record.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../../src/inventory/denied-record.ts';
import { byId, container } from '../../support/containers.ts';

const MINUTE = 60_000;

class Recorder {
  readonly lines: (readonly [string, object])[] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(fields: object, message: string): void {
    this.lines.push([message, fields]);
  }
}

const destination = (port: number, packets: number): Denied => ({
  address: '10.0.0.1',
  protocol: 'tcp',
  port,
  packets,
});

const record = (destinations: readonly Denied[]): DeniedRecord => ({ ...NOTHING_DENIED, destinations });
const packetsOf = ({ summaries }: DenyLog) =>
  new Map([...summaries].map(([name, { packets }]) => [name, packets]));

const audit = { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=audit'] };

function setUp(
  answer: () => readonly Denied[] | DeniedRecord | Error,
  namespaces: () => readonly WorkloadNamespace[] = () => web,
  traffic = async (): Promise<string | undefined> => undefined,
) {
  const log = new Recorder();
  const dataplane = {
    denied: async () => {
      const found = answer();
      if (found instanceof Error) throw found;
      return 'isFull' in found ? found : record(found);
    },
    egressCounters: traffic,
  };
  const collector = new DenyLog({
    dataplane,
    log,
    namespaces,
    now: Date.now,
    interval: MINUTE,
  });
  return { log, collector };
}

const web = planNamespaces(byId(container('web'))).namespaces;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a destination is logged once per window, and again when packets come after it', async () => {
  let packets = 3;
  const { log, collector } = setUp(() => [destination(80, packets)]);
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(log.lines).toEqual([
    ['destination denied', { container: 'web', address: '10.0.0.1', protocol: 'tcp', port: 80, packets: 3 }],
  ]);
  await vi.advanceTimersByTimeAsync(20 * MINUTE);
  expect(log.lines).toHaveLength(1);
  packets = 5;
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(log.lines).toHaveLength(2);
  expect(packetsOf(collector).get('web')).toBe(5);
  await collector.close();
});

test('a count that begins anew is added', async () => {
  let packets = 7;
  const { collector } = setUp(() => [destination(80, packets)]);
  await collector.read();
  packets = 2;
  const [report] = await collector.read();
  expect(packetsOf(collector).get('web')).toBe(9);
  expect(report).toMatchObject({ container: 'web', workloads: ['web'], destinations: [{ packets: 9 }] });
  await collector.close();
});

test('a namespace is read again only when it has sent anything', async () => {
  let reads = 0;
  let sent: string | undefined = 'a';
  const answer = () => {
    reads += 1;
    return reads === 3 ? new Error('no nft') : [];
  };
  const { collector } = setUp(answer, undefined, async () => sent);
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(reads).toBe(1);
  sent = 'b';
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(reads).toBe(2);
  sent = 'c';
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(reads).toBe(4);
  sent = undefined;
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(reads).toBeGreaterThanOrEqual(8);
  await collector.close();
});

test('what others have found counts, once and in its order', async () => {
  const { log, collector } = setUp(() => [destination(80, 5)]);
  const [{ id }] = web as [WorkloadNamespace];
  vi.setSystemTime(1_000);
  const find = (where: string, destinations: readonly Denied[], begunAt: number) =>
    collector.found(where, { denied: record(destinations), begunAt, traffic: undefined });
  find(id, [destination(80, 3)], 900);
  expect(packetsOf(collector).get('web')).toBe(3);
  find(id, [destination(80, 2)], 800);
  find('another', [destination(80, 7)], 1_000);
  expect(packetsOf(collector)).toEqual(new Map([['web', 3]]));
  expect(log.lines).toHaveLength(1);
  vi.setSystemTime(2_000);
  await collector.read();
  expect(packetsOf(collector).get('web')).toBe(5);
  await collector.close();
});

test('after a load that found nothing it is read once something was sent', async () => {
  let reads = 0;
  let sent = 'a';
  const answer = () => {
    reads += 1;
    return [];
  };
  const { collector } = setUp(answer, undefined, async () => sent);
  const [{ id }] = web as [WorkloadNamespace];
  collector.found(id, { denied: NOTHING_DENIED, begunAt: 0, traffic: 'a' });
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(reads).toBe(0);
  sent = 'b';
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(reads).toBe(1);
  await collector.close();
});

/** Forty namespaces, each of which takes 100 ms to be read. `found` gets the number of the reading. */
function fortySlow(found: (reads: number) => DeniedRecord, counters?: string) {
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  const many = planNamespaces(byId(...names.map((name) => container(name)))).namespaces;
  const dataplane = {
    reads: 0,
    denied: async () => {
      dataplane.reads += 1;
      const { reads } = dataplane;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return found(reads);
    },
    egressCounters: async () => counters,
  };
  return { many, dataplane };
}

test('of many that have sent nothing since their load, none is waited for', async () => {
  const { many, dataplane } = fortySlow(() => NOTHING_DENIED, 'a');
  let known: readonly WorkloadNamespace[] = [];
  const options = { log: new Recorder(), now: Date.now, interval: MINUTE };
  const collector = new DenyLog({ dataplane, namespaces: () => known, ...options });
  for (const { id } of many) collector.found(id, { denied: NOTHING_DENIED, begunAt: 0, traffic: 'a' });
  known = many;
  const answer = collector.answer();
  await vi.advanceTimersByTimeAsync(500);
  expect(await answer).toHaveLength(40);
  expect(dataplane.reads).toBe(8);
  await collector.close();
});

test('neither a reload nor a restart makes it log again within the window', async () => {
  let found: readonly Denied[] = [destination(80, 3)];
  let namespaces = web;
  const { log, collector } = setUp(
    () => found,
    () => namespaces,
  );
  await collector.read();
  found = [];
  await collector.read();
  found = [destination(80, 3)];
  await collector.read();
  namespaces = planNamespaces(byId(container('web', { startedAt: '2026-01-01T01:00:00Z' }))).namespaces;
  await collector.read();
  expect(log.lines).toHaveLength(1);
  expect(packetsOf(collector).get('web')).toBe(9);
  vi.setSystemTime(11 * MINUTE);
  found = [destination(80, 4)];
  await collector.read();
  expect(log.lines).toHaveLength(2);
  await collector.close();
});

test('when it was first and last seen is told', async () => {
  let packets = 1;
  const { collector } = setUp(() => [destination(80, packets)]);
  await collector.read();
  vi.setSystemTime(4_000);
  packets = 2;
  await collector.read();
  vi.setSystemTime(9_000);
  const [report] = await collector.read();
  expect(report?.destinations).toMatchObject([{ firstSeenAt: 0, lastSeenAt: 4_000 }]);
  await collector.close();
});

test('a scan does not flood the log', async () => {
  const { log, collector } = setUp(() =>
    Array.from({ length: 100 }, (_, index) => destination(index + 1, 1)),
  );
  await collector.read();
  expect(log.lines).toHaveLength(21);
  expect(log.lines.at(-1)).toEqual(['more destinations denied', { container: 'web', more: 80 }]);
  await collector.close();
});

test('whoever scans for an hour, and whoever looks all the time, gets few lines', async () => {
  let port = 0;
  const scan = () => Array.from({ length: 2_000 }, () => destination(1 + (port++ % 65_535), 1));
  const { log, collector } = setUp(() => ({ ...record(scan()), isFull: true }));
  for (let second = 0; second < 3_600; second += 10) {
    await vi.advanceTimersByTimeAsync(10_000);
    await collector.read();
  }
  const ofKind = (wanted: string) => log.lines.filter(([message]) => message === wanted).length;
  expect(ofKind('destination denied')).toBeLessThanOrEqual(20 * 7);
  expect(ofKind('more destinations denied')).toBeLessThanOrEqual(61);
  expect(ofKind('record of denied destinations is full')).toBeLessThanOrEqual(7);
  expect(JSON.stringify(log.lines).length).toBeLessThan(50_000);
  await collector.close();
}, 120_000);

test('a full record is told, with what is in it of each host first', async () => {
  const scan = Array.from({ length: 50 }, (_, index) => destination(index + 1, 1));
  const other = { ...destination(22, 1), address: '10.0.0.9' };
  const denied = {
    ...record([...scan, other]),
    ...{ counts: { packets: 9_000, spoofed: 0, frames: 0 }, isFull: true },
  };
  const { log, collector } = setUp(() => denied);
  await collector.read();
  expect(log.lines.slice(0, 2)).toMatchObject([
    ['destination denied', { address: '10.0.0.1', port: 1 }],
    ['destination denied', { address: '10.0.0.9', port: 22 }],
  ]);
  const full = { container: 'web', packets: 9_000, unlisted: 8_949 };
  expect(log.lines.at(-1)).toEqual(['record of denied destinations is full', full]);
  await collector.close();
});

test('how far back it tells is told: ten minutes of the kernel, an hour once it was watched for that', async () => {
  const { collector } = setUp(() => []);
  const covers = async () => (await collector.read())[0]?.covers;
  expect(await covers()).toBe(10 * MINUTE);
  await vi.advanceTimersByTimeAsync(25 * MINUTE);
  expect(await covers()).toBe(25 * MINUTE);
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(await covers()).toBe(60 * MINUTE);
  await collector.close();
});

test('audit mode says what would be refused', async () => {
  const { namespaces } = planNamespaces(byId(container('web', audit)));
  const { log, collector } = setUp(
    () => [destination(80, 1)],
    () => namespaces,
  );
  await collector.read();
  expect(log.lines[0]?.[0]).toBe('destination would be denied');
  await collector.close();
});

test('a namespace that cannot be read is reported, and stops nobody', async () => {
  const { log, collector } = setUp(() => new Error('no such container'));
  expect(await collector.read()).toMatchObject([
    { container: 'web', destinations: [], error: 'no such container' },
  ]);
  expect(log.lines).toEqual([]);
  await collector.close();
});

test('a question about many is answered in time: by what was found before, the oldest read again', async () => {
  const { many, dataplane } = fortySlow((reads) => record([destination(80, reads)]));
  const log = new Recorder();
  const collector = new DenyLog({ dataplane, log, namespaces: () => many, now: Date.now, interval: 0 });
  const first = collector.answer();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await first).toHaveLength(40);
  expect(dataplane.reads).toBe(40);
  const second = collector.answer();
  await vi.advanceTimersByTimeAsync(500);
  const reports = await second;
  expect([reports.length, dataplane.reads]).toEqual([40, 48]);
  const read = reports.filter(({ readAt }) => readAt > 2_000).map((one) => one.container);
  const third = collector.answer();
  await vi.advanceTimersByTimeAsync(500);
  const again = (await third).filter(({ readAt }) => readAt > 2_500).map((one) => one.container);
  expect(new Set(read).intersection(new Set(again)).size).toBe(0);
  expect(again).toHaveLength(8);
  await collector.close();
});

test('what another run of the controller kept is told, and counted once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-denied-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  let kernel: DeniedRecord = record([destination(80, 3), destination(81, 1)]);
  const run = async () => {
    const file = new DeniedFile(folder, new Recorder(), { pause: 0 });
    const log = new Recorder();
    const collector: DenyLog = new DenyLog({
      ...{ log, namespaces: () => web, now: Date.now, interval: MINUTE },
      dataplane: { denied: async () => kernel, egressCounters: async () => undefined },
      previous: await file.load(),
      onChange: () => file.save(() => collector.state()),
    });
    const [report] = await collector.read();
    await collector.close();
    await file.close();
    return { packets: packetsOf(collector).get('web'), report, lines: log.lines.length };
  };
  expect(await run()).toMatchObject({ packets: 4, lines: 2 });
  kernel = record([destination(80, 5)]);
  const { packets, report, lines } = await run();
  expect({ packets, lines }).toEqual({ packets: 6, lines: 0 });
  expect(report?.destinations.map(({ port, packets: count }) => [port, count])).toEqual([
    [81, 1],
    [80, 5],
  ]);
});

test('denied callers are kept beside denied destinations, in a file of their own', async () => {
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), 'egt-denied-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const open = (name?: string) =>
    new DeniedFile(folder, new Recorder(), { pause: 0, ...(name !== undefined && { name }) });
  const stateAt = (startedAt: number) => ({ startedAt, savedAt: 2, containers: [] });
  const files = [open(), open(STATE_FILES.deniedIngress)];
  for (const [index, file] of files.entries()) file.save(() => stateAt(index));
  await Promise.all(files.map((file) => file.close()));
  expect(await open().load()).toEqual(stateAt(0));
  expect(await open(STATE_FILES.deniedIngress).load()).toEqual(stateAt(1));
});

test('a kernel that cannot be read after a restart leaves what was kept', async () => {
  const { collector } = setUp(() => [destination(80, 3)]);
  await collector.read();
  const previous = collector.state();
  const broken = new DenyLog({
    ...{ log: new Recorder(), namespaces: () => web, now: Date.now, interval: MINUTE, previous },
    dataplane: { denied: () => Promise.reject(new Error('gone')), egressCounters: async () => undefined },
  });
  const [report] = await broken.read();
  expect(report).toMatchObject({ error: 'gone', destinations: [{ port: 80, packets: 3 }] });
  await Promise.all([collector.close(), broken.close()]);
});

test('of ingress rules it reads their record, and tells of callers', async () => {
  const log = new Recorder();
  const asked: string[] = [];
  const dataplane = {
    denied: async (_: unknown, owner: string) => {
      asked.push(owner);
      return record([destination(80, 3)]);
    },
    egressCounters: async () => undefined,
  };
  const options = { dataplane, log, now: Date.now, interval: MINUTE, namespaces: () => web };
  const collector = new DenyLog({ ...options, direction: 'ingress' });
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(new Set(asked)).toEqual(new Set(['ingress']));
  expect(log.lines).toEqual([
    ['call denied', { container: 'web', source: '10.0.0.1', protocol: 'tcp', port: 80, packets: 3 }],
  ]);
  await collector.close();
});

test('what was denied to a container that has ended is known for ten minutes, with its keys and mode', async () => {
  let present: readonly WorkloadNamespace[] = web;
  const { collector } = setUp(
    () => [destination(80, 3)],
    () => present,
  );
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(collector.ended()).toEqual([]);
  present = [];
  expect(collector.ended()).toMatchObject([
    { container: 'web', mode: 'enforce', grants: ['db'], destinations: [{ port: 80, packets: 3 }] },
  ]);
});
