/** The live state of a controller whose sources and kernels are fakes. */
import { expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../../../src/config/config.ts';
import { DenyLog } from '../../../../src/daemon/deny-log.ts';
import { shifted } from '../../../../src/daemon/status.ts';
import type { DenyLogs, Telemetry } from '../../../../src/daemon/telemetry.ts';
import { ControllerState } from '../../../../src/daemon/watch/controller-state.ts';
import { Timeline } from '../../../../src/daemon/watch/timeline.ts';
import { NOTHING_DENIED } from '../../../../src/inventory/denied-record.ts';
import { EMPTY_STATE } from '../../../../src/live/state.ts';
import { container } from '../../../support/containers.ts';
import { type FakeSetup, startFake } from '../../../support/fake-controller.ts';
import { FakeConsul } from '../../../support/fakes.ts';

function watched(setup: FakeSetup, offset = 0) {
  const { controller, kernel, log, consul } = setup;
  let denied = NOTHING_DENIED;
  const logOf = (namespaces: DenyLogs['egress']['namespaces']) =>
    new DenyLog({
      dataplane: { denied: async () => denied, egressCounters: () => kernel.egressCounters() },
      namespaces: () => namespaces,
      ...{ log, now: Date.now, interval: 0 },
    });
  const egress = logOf(controller.answers.loadedNamespaces());
  const denyLogs = { egress, ingress: logOf([]), host: undefined };
  const telemetry: Pick<Telemetry, 'status' | 'denyLogs' | 'knownCalls'> = {
    knownCalls: () => ({ calls: [], packets: 0, unlisted: 0, isFull: false }),
    status: (_controller, ms = 0) => shifted(controller.answers.status(), ms),
    denyLogs,
  };
  const services = {
    readService: async () => [{ address: '10.9.9.9', port: 9000, tags: [], node: 'far' }],
    readCatalog: async () => ({ services: consul.services, unread: new Map() }),
  };
  const config = resolveConfig({}, {});
  const timeline = new Timeline(Date.now);
  const cluster = { hosts: () => new Map() };
  const state = new ControllerState(
    { controller, telemetry, services, config, offset: () => offset, now: Date.now, timeline, cluster },
    () => {},
  );
  onTestFinished(() => state.close());
  const deny = async (...destinations: (typeof denied)['destinations']) => {
    denied = { ...NOTHING_DENIED, destinations };
    await egress.read();
  };
  return { state, deny };
}

const consulWith = (rules: Readonly<Record<string, string>>) => {
  const consul = new FakeConsul();
  consul.put(rules);
  return consul;
};

test('tells containers, keys, services and denials with what is behind them', async () => {
  const consul = consulWith({ web: '10.0.0.1:tcp/80\npostgres', other: '10.0.0.7:tcp/443\ncache' });
  consul.register('postgres', [{ address: '10.0.0.5', port: 5432, tags: [], node: 'db' }]);
  const setup = startFake({ consul });
  setup.engine.run(container('web', { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'] }));
  await setup.rest();
  const { state, deny } = watched(setup);
  await deny({ address: '10.0.0.7', protocol: 'tcp', port: 443, packets: 3 });
  await state.next(EMPTY_STATE);
  await setup.rest();
  const seen = await state.next(EMPTY_STATE);
  expect([...seen.keys]).toEqual([
    ['web', { text: '10.0.0.1:tcp/80\npostgres' }],
    ['other', { text: '10.0.0.7:tcp/443\ncache' }],
  ]);
  expect(seen.services.get('postgres')?.instances).toMatchObject([{ address: '10.0.0.5', port: 5432 }]);
  expect(seen.services.get('cache')).toMatchObject({ instances: [{ address: '10.9.9.9' }] });
  expect([...seen.workloads.values()]).toMatchObject([
    { target: 'web', state: 'protected', grants: ['web'] },
  ]);
  expect([...seen.denied]).toMatchObject([
    ['web 10.0.0.7 tcp 443', { container: 'web', packets: 3, services: [], keys: ['other'] }],
  ]);
  expect(seen.controller.get('controller')).toMatchObject({ isReady: true, template: 'nftables' });
});

test('what does not change stays the same object, so that nothing is sent', async () => {
  const setup = startFake({ consul: consulWith({ web: '10.0.0.1:tcp/80' }) });
  setup.engine.run(container('web', { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'] }));
  await setup.rest();
  const { state, deny } = watched(setup);
  await deny({ address: '10.0.0.7', protocol: 'tcp', port: 443, packets: 3 });
  const first = await state.next(EMPTY_STATE);
  const again = await state.next(first);
  for (const name of ['controller', 'workloads', 'keys', 'services', 'denied', 'deniedRecords'] as const)
    expect(again[name], name).toBe(first[name]);
  await deny({ address: '10.0.0.7', protocol: 'tcp', port: 443, packets: 4 });
  const later = await state.next(again);
  expect(later.denied).not.toBe(first.denied);
  expect(later.workloads).toBe(first.workloads);
});

test('times are by the clock of the host', async () => {
  const setup = startFake({ consul: consulWith({}) });
  setup.engine.run(container('web', { environment: ['EGRESSTRATOR_ENABLE=1'] }));
  await setup.rest();
  const [here, later] = [watched(setup), watched(setup, 5_000)];
  const verified = async ({ state }: typeof here) =>
    [...(await state.next(EMPTY_STATE)).workloads.values()][0]?.verifiedAt ?? 0;
  expect((await verified(later)) - (await verified(here))).toBe(5_000);
});
