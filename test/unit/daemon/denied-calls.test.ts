/** Calls that the ports guard denied, and those that ingress rules denied, as one report. */
import { expect, test } from 'vitest';
import { mergedCalls } from '../../../src/daemon/denied-calls.ts';
import { ingressNamespaces } from '../../../src/features/ingress/namespaces.ts';
import type { DeniedReport } from '../../../src/inventory/denied-record.ts';
import { namespacesOf } from '../../../src/inventory/namespace.ts';
import { byId, container } from '../../support/containers.ts';

const web = container('web', { environment: ['EGRESSTRATOR_INGRESS='] });
const { namespaces } = ingressNamespaces(namespacesOf(byId(web)), 'enforce');
const flow = {
  address: '198.51.100.7',
  protocol: 'tcp',
  port: 80,
  packets: 3,
  firstSeenAt: 1,
  lastSeenAt: 2,
};
const summary = { packets: 3, spoofed: 0, frames: 0, unlisted: 1, isFull: true, unlistedAt: [] };
const report: DeniedReport = {
  ...{ container: 'web', workloads: ['web'], mode: 'enforce', destinations: [flow], summary },
  ...{ covers: 60_000, readAt: 5 },
};
const byGuard = {
  calls: [
    {
      source: '192.0.2.7',
      address: '172.18.0.2',
      protocol: 'tcp',
      packets: 1,
      firstSeenAt: 1,
      lastSeenAt: 1,
    },
  ],
  ...{ packets: 1, unlisted: 0, isFull: false, covers: 10_000 },
};

test('names the caller, the container and its address', () => {
  const { calls, ...totals } = mergedCalls(byGuard, [report], namespaces);
  expect(calls).toEqual([
    ...byGuard.calls,
    {
      ...{ gate: 'ingress', source: '198.51.100.7', address: '192.0.2.2', container: 'web' },
      ...{ protocol: 'tcp', port: 80, packets: 3, firstSeenAt: 1, lastSeenAt: 2 },
    },
  ]);
  expect(totals).toEqual({ packets: 4, unlisted: 1, isFull: true, covers: 60_000 });
});

test('says of a call in audit mode that it passed, and why a record is missing', () => {
  const audited = { ...report, mode: 'audit', error: 'no process' } as const;
  const { calls, error } = mergedCalls(undefined, [audited], namespaces);
  expect(calls).toMatchObject([{ passed: true }]);
  expect(error).toBe('web: no process');
});
