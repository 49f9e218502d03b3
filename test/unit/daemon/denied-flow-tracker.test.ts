/** What is remembered of denied packets: across loads and restarts, for an hour, and in a flood. */
import { describe, expect, test } from 'vitest';
import { DeniedFlowTracker } from '../../../src/daemon/denied-flow-tracker.ts';
import {
  agedSummary,
  type Denied,
  type DeniedRecord,
  NOTHING_DENIED,
} from '../../../src/inventory/denied-record.ts';

const MINUTE = 60_000;

const to = (address: string, port: number, packets = 1, idle?: number): Denied => ({
  ...{ address, protocol: 'tcp', port, packets },
  ...(idle === undefined ? {} : { idle }),
});
const all = (address: string, packets: number): Denied => ({
  ...{ address, protocol: '', port: undefined, packets },
});
const record = (found: Partial<DeniedRecord>): DeniedRecord => ({ ...NOTHING_DENIED, ...found });
const counts = (packets: number) => ({ packets, spoofed: 0, frames: 0 });

describe('destinations', () => {
  test('are kept for an hour after their last packet, whatever the kernel forgets', () => {
    const traces = new DeniedFlowTracker();
    const note = (destinations: readonly Denied[], now: number) =>
      traces.record('a@1', record({ destinations }), now).seen.map(({ port, packets }) => [port, packets]);
    expect(note([to('10.0.0.1', 80, 3)], 0)).toEqual([[80, 3]]);
    expect(note([], 30 * MINUTE)).toEqual([[80, 3]]);
    expect(note([to('10.0.0.1', 80, 2)], 40 * MINUTE)).toEqual([[80, 5]]);
    expect(note([], 99 * MINUTE)).toEqual([[80, 5]]);
    expect(note([], 100 * MINUTE)).toEqual([]);
  });

  test('count on where the namespace is another', () => {
    const traces = new DeniedFlowTracker();
    traces.record('a@1', record({ destinations: [to('10.0.0.1', 80, 3)], counts: counts(3) }), 0);
    const { seen, summary } = traces.record(
      'a@2',
      record({ destinations: [to('10.0.0.1', 80, 4)], counts: counts(4) }),
      1,
    );
    expect([seen[0]?.packets, summary.packets]).toEqual([7, 7]);
  });

  test('whose entry expired and came back with the same count have new packets', () => {
    const traces = new DeniedFlowTracker();
    const added = (idle: number, now: number) =>
      traces.record('a@1', record({ destinations: [to('10.0.0.1', 80, 1, idle)] }), now).seen[0]?.packets;
    expect(added(2, 0)).toBe(1);
    expect(added(62, MINUTE)).toBe(1);
    expect(added(5, 20 * MINUTE)).toBe(2);
  });

  test('of many hosts survive the ports of one', () => {
    const traces = new DeniedFlowTracker();
    traces.record('a@1', record({ destinations: [to('10.0.0.9', 22)] }), 0);
    for (let round = 0; round < 20; round += 1) {
      const destinations = Array.from({ length: 2_048 }, (_, port) => to('10.0.0.1', round * 2_048 + port));
      traces.record('a@1', record({ destinations }), round * MINUTE);
    }
    const { seen } = traces.record('a@1', NOTHING_DENIED, 20 * MINUTE);
    expect(seen.length).toBeLessThanOrEqual(8_192);
    expect(seen.filter(({ address }) => address === '10.0.0.9')).toHaveLength(1);
  });
});

describe('a full record', () => {
  const flood = record({
    destinations: [to('10.0.0.1', 1), to('10.0.0.1', 2)],
    addresses: [all('10.0.0.1', 9), all('10.0.0.2', 1)],
    networks: [all('10.0.0.0/8', 12), all('192.0.0.0/8', 5)],
    counts: counts(17),
    isFull: true,
  });

  test('tells how many packets no destination accounts for, and where they went', () => {
    const { summary } = new DeniedFlowTracker().record('a@1', flood, 0);
    expect(summary).toEqual({
      ...{ packets: 17, spoofed: 0, frames: 0, unlisted: 15, isFull: true, fullAt: 0 },
      unlistedAt: [
        { place: '10.0.0.1', packets: 7 },
        { place: '10.0.0.2', packets: 1 },
        { place: '192.0.0.0/8', packets: 5 },
        { place: '10.0.0.0/8', packets: 2 },
      ],
    });
  });

  test('is told for an hour, and newFlows once in ten minutes', () => {
    const traces = new DeniedFlowTracker();
    const isNew = [0, 1, 9, 10].map((minute) => traces.record('a@1', flood, minute * MINUTE).isNewlyFull);
    expect(isNew).toEqual([true, false, false, true]);
    const later = { ...flood, isFull: false };
    expect(traces.record('a@1', later, 69 * MINUTE).summary).toMatchObject({
      ...{ isFull: false, fullAt: 10 * MINUTE, unlisted: 15 },
    });
    const { summary } = traces.record('a@1', later, 70 * MINUTE);
    expect(summary).toMatchObject({ unlisted: 0, unlistedAt: [] });
    expect(summary.fullAt).toBeUndefined();
  });

  test('is no longer full once what nobody has read must have expired', () => {
    const { summary } = new DeniedFlowTracker().record('a@1', flood, 0);
    expect(agedSummary(summary, 9 * MINUTE)).toEqual(summary);
    expect(agedSummary(summary, 10 * MINUTE)).toMatchObject({ isFull: false, unlisted: 15 });
    expect(agedSummary(summary, 60 * MINUTE)).toMatchObject({ isFull: false, unlisted: 0, unlistedAt: [] });
  });

  test('an address that has no destination is newFlows', () => {
    const { newFlows } = new DeniedFlowTracker().record('a@1', flood, 0);
    expect(newFlows.map(({ address, port }) => [address, port])).toEqual([
      ['10.0.0.1', 1],
      ['10.0.0.1', 2],
      ['10.0.0.2', undefined],
    ]);
  });
});

test('while nothing is full, packets between two readings of the kernel are not missed', () => {
  const traces = new DeniedFlowTracker();
  traces.record('a@1', record({ destinations: [to('10.0.0.1', 1, 3)], counts: counts(5) }), 0);
  const full = record({ destinations: [to('10.0.0.1', 1, 3)], counts: counts(7), isFull: true });
  expect(traces.record('a@1', full, 1).summary).toMatchObject({ packets: 7, unlisted: 2 });
});

test('without counters there are as many packets as destinations have', () => {
  const { summary } = new DeniedFlowTracker().record(
    'a@1',
    record({ destinations: [to('10.0.0.1', 1, 3)], isFull: true }),
    0,
  );
  expect(summary).toMatchObject({ packets: 3, unlisted: 0, isFull: true });
});
