/** Which connections end when forwards change. */
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LoadError } from '../../../src/common/errors.ts';
import { ConnectionRecords, type OutdatedLines } from '../../../src/daemon/connection-records.ts';
import { OutdatedConnections } from '../../../src/daemon/outdated-connections.ts';
import { connectionRules } from '../../../src/inventory/connection-rules.ts';
import { FakeLog } from '../../support/fakes.ts';
import { forward } from '../../support/host-claims.ts';

const WEB = forward(80, '172.18.0.2', 8080);
const DNS = forward(53, '172.18.0.3', 53, { protocol: 'udp' });
const MOVED = forward(53, '172.18.0.4', 53, { protocol: 'udp' });

function setup(kernel: readonly string[] = [], records = new ConnectionRecords()) {
  const ended: string[][] = [];
  const log = new FakeLog();
  let failure: Error | undefined;
  let held: Promise<void> = Promise.resolve();
  const connections = new OutdatedConnections(
    {
      loadedForwards: async () => {
        if (failure !== undefined) throw failure;
        return kernel;
      },
      endConnections: async (lines) => {
        if (failure !== undefined) throw failure;
        await held;
        ended.push([...lines].sort());
      },
    },
    log,
    records.of('host'),
  );
  const loadWhere = async (replaces: boolean, forwards: readonly (typeof WEB)[]) => {
    await connections.beforeLoad(replaces);
    connections.loaded(connectionRules(forwards));
    await connections.idle();
  };
  const load = (...forwards: readonly (typeof WEB)[]) => loadWhere(true, forwards);
  const fail = (error: Error | undefined) => {
    failure = error;
  };
  /** Nothing ends until the result is called. */
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  return { load, loadWhere, ended, connections, fail, hold, log };
}

it('ends those of forwards that are gone, also of an earlier run', async () => {
  const { load, ended } = setup(['tcp 80 172.18.0.2 8080']);
  await load(WEB);
  expect(ended).toEqual([]);
  await load();
  expect(ended).toEqual([['tcp 80 172.18.0.2 8080']]);
});

it('ends those of a forward again that comes and goes while others are being ended', async () => {
  const { load, ended, connections, hold } = setup();
  await load(WEB);
  const release = hold();
  connections.loaded(new Set());
  await setImmediate();
  connections.loaded(connectionRules([WEB]));
  connections.loaded(new Set());
  release();
  await connections.idle();
  expect(ended).toEqual([['tcp 80 172.18.0.2 8080'], ['tcp 80 172.18.0.2 8080']]);
});

it('ends streams of datagrams that began before their forward, and those to an earlier target', async () => {
  const { load, ended } = setup();
  await load(WEB, DNS);
  await load(WEB, MOVED);
  await load(WEB, MOVED);
  expect(ended).toEqual([['udp 53'], ['udp 53', 'udp 53 172.18.0.3 53']]);
});

it('ends streams of datagrams that began while no rules were loaded', async () => {
  const { loadWhere, ended } = setup();
  await loadWhere(false, [WEB, DNS]);
  await loadWhere(true, [WEB, DNS]);
  expect(ended).toEqual([['udp 53']]);
});

it('ends those of forwards that were lost, and are not made again', async () => {
  const { load, loadWhere, ended } = setup();
  await load(WEB, DNS);
  await loadWhere(false, [DNS]);
  expect(ended).toEqual([['udp 53'], ['tcp 80 172.18.0.2 8080', 'udp 53']]);
});

it('tries again with the next load, and says why it failed', async () => {
  const { load, ended, connections, fail } = setup();
  await load(WEB, DNS);
  fail(new Error('no conntrack'));
  await load(DNS);
  expect(connections.problems).toEqual([{ severity: 'warning', reason: 'no conntrack' }]);
  fail(undefined);
  await load(DNS);
  expect(ended).toEqual([['udp 53'], ['tcp 80 172.18.0.2 8080']]);
  expect(connections.problems).toEqual([]);
});

it('reports a failure once, and no more when the forward has come back', async () => {
  const { load, ended, connections, fail, log } = setup();
  await load(WEB);
  fail(new Error('no conntrack'));
  await load();
  await load();
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { error: 'no conntrack' } }]);
  fail(undefined);
  await load(WEB);
  expect([ended, connections.problems]).toEqual([[], []]);
});

it('says what to install where conntrack is missing', async () => {
  const { load, connections, fail } = setup();
  await load(WEB);
  fail(new LoadError('exit code 6', { exitCode: 6 }));
  await load();
  const reason = expect.stringMatching(/; install the package conntrack$/);
  expect(connections.problems).toEqual([{ severity: 'warning', reason }]);
});

it('loads where the forwards of an earlier run cannot be read', async () => {
  const { load, ended, fail, log } = setup(['tcp 81 172.18.0.2 8080']);
  fail(new Error('no answer'));
  await load(WEB);
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { error: 'no answer' } }]);
  fail(undefined);
  await load();
  expect(ended).toEqual([['tcp 80 172.18.0.2 8080']]);
});

it('ends those of a forward that was removed right before the previous run was killed', async () => {
  let kept: OutdatedLines = new Map();
  const before = setup(
    [],
    new ConnectionRecords(kept, async (all) => {
      kept = new Map(all);
    }),
  );
  await before.load(WEB, DNS);
  expect(kept).toEqual(new Map());
  before.hold();
  await before.connections.beforeLoad(true);
  const atLoad = kept;
  before.connections.loaded(connectionRules([DNS]));
  await setImmediate();
  for (const left of [atLoad, kept]) {
    const after = setup(['udp 53 172.18.0.3 53'], new ConnectionRecords(left));
    after.connections.loaded(connectionRules([DNS]));
    await after.connections.idle();
    expect(after.ended).toEqual([['tcp 80 172.18.0.2 8080']]);
  }
});

it('a disk that does not answer holds up neither a load nor the end of connections', async () => {
  const silent = new ConnectionRecords(undefined, () => new Promise<void>(() => {}));
  const { load, ended } = setup([], silent);
  await load(WEB);
  await load();
  await load(DNS);
  await load();
  expect(ended.flat()).toEqual(expect.arrayContaining(['tcp 80 172.18.0.2 8080', 'udp 53 172.18.0.3 53']));
});
