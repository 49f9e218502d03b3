/**
 * Denied calls: each caller and port once in the log and all in the answer, also when a load removes the kernel's record,
 * and no more lines than an operator can read.
 */
import { expect, onTestFinished, test } from 'vitest';
import { HostDenyLog, type HostDenyLogOptions } from '../../../src/daemon/host-deny-log.ts';
import { type Denied, type DeniedRecord, NOTHING_DENIED } from '../../../src/inventory/denied-record.ts';
import { FakeLog } from '../../support/fakes.ts';

const call = (port: number, packets: number, source = '198.51.100.7'): Denied => ({
  ...{ source, address: '172.18.0.2', protocol: 'tcp', port, packets },
});

const recordOf = (packets: number, ...destinations: readonly Denied[]): DeniedRecord => ({
  ...NOTHING_DENIED,
  ...{ destinations, counts: { packets, spoofed: 0, frames: 0 } },
});

function open(given: Partial<HostDenyLogOptions> = {}) {
  const log = new FakeLog();
  const kernel = { record: NOTHING_DENIED, reads: 0 };
  const clock = { now: 1_000_000 };
  const denyLog = new HostDenyLog({
    dataplane: {
      denied: async () => {
        kernel.reads += 1;
        return kernel.record;
      },
    },
    ...{ log, interval: 60_000, observes: false, isGuarded: () => true, now: () => clock.now },
    containerNames: () => (address) => (address === '172.18.0.2' ? 'web' : undefined),
    ...given,
  });
  onTestFinished(() => denyLog.close());
  return { log, kernel, clock, denyLog };
}

test('a call is logged once, with its container and its caller', async () => {
  const { log, kernel, clock, denyLog } = open();
  kernel.record = recordOf(2, call(80, 2));
  await denyLog.answer();
  clock.now += 60_000;
  kernel.record = recordOf(5, call(80, 5));
  const { calls, packets } = await denyLog.answer();
  expect(log.lines).toEqual([
    {
      ...{ level: 'warn', message: 'call denied' },
      fields: {
        ...{ container: 'web', source: '198.51.100.7', address: '172.18.0.2' },
        ...{ protocol: 'tcp', port: 80, packets: 2 },
      },
    },
  ]);
  expect(calls).toMatchObject([{ container: 'web', source: '198.51.100.7', port: 80, packets: 5 }]);
  expect(packets).toBe(5);
});

test('callers of one port are told apart', async () => {
  const { kernel, denyLog } = open();
  kernel.record = recordOf(3, call(80, 1), call(80, 2, '198.51.100.8'));
  const { calls } = await denyLog.answer();
  expect(calls.map(({ source, packets }) => [source, packets])).toEqual([
    ['198.51.100.7', 1],
    ['198.51.100.8', 2],
  ]);
});

test('a load removes the record, and nothing is lost or counted twice', async () => {
  const { kernel, clock, denyLog } = open();
  kernel.record = recordOf(2, call(80, 2));
  await denyLog.answer();
  clock.now += 1_000;
  denyLog.found(recordOf(4, call(80, 3), call(81, 1)), clock.now);
  denyLog.found(NOTHING_DENIED, clock.now + 1);
  kernel.record = recordOf(1, call(80, 1));
  clock.now += 1_000;
  expect(await denyLog.answer()).toMatchObject({ packets: 5 });
  expect(denyLog.summary).toMatchObject({ packets: 5, isFull: false });
  denyLog.found(recordOf(9, call(80, 9)), clock.now - 500);
  expect(denyLog.summary).toMatchObject({ packets: 5 });
});

test('a scan costs twenty lines and the number of the others', async () => {
  const { log, kernel, denyLog } = open({ observes: true });
  kernel.record = recordOf(500, ...Array.from({ length: 500 }, (_, port) => call(port + 1, 1)));
  await denyLog.answer();
  const messages = log.messages('warn');
  expect(messages.filter((one) => one === 'call would be denied')).toHaveLength(20);
  expect(log.lines.find(({ message }) => message === 'more calls denied')?.fields).toEqual({ more: 480 });
});

test('without a guard the kernel is not asked, and a failure leaves what is known', async () => {
  const quiet = open({ isGuarded: () => false });
  expect(await quiet.denyLog.answer()).toMatchObject({ calls: [], packets: 0 });
  expect(quiet.kernel.reads).toBe(0);
  const broken = open({
    dataplane: { denied: () => Promise.reject(new Error('no helper')) },
  });
  broken.denyLog.found(recordOf(1, call(80, 1)), broken.clock.now);
  expect(await broken.denyLog.answer()).toMatchObject({ calls: [{ port: 80 }], error: 'no helper' });
});
