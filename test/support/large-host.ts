/**
 * A large host as the commands see it: 200 workloads with 10,000 rules each, 300 services, and
 * 50 denied destinations of each workload. The API is real, its data are generated.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/common/errors.ts';
import { serveApi } from '../../src/daemon/api/server.ts';
import type { Status } from '../../src/daemon/status.ts';
import { createDiagnostics } from '../../src/diagnostics/diagnostics.ts';
import { HOST_OFF } from '../../src/diagnostics/host-view.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { DeniedReport } from '../../src/inventory/denied-record.ts';
import { snapshotOf } from './snapshot.ts';

const WORKLOADS = 200;
const RULES = 10_000;
const SERVICES = 300;
const DESTINATIONS = 50;

export interface LargeHost extends AsyncDisposable {
  /** Where its API answers. */
  readonly socket: string;
  /** A file with a new text of the key `shared`: some lines less, some more. */
  readonly edited: string;
}

export async function openLargeHost(): Promise<LargeHost> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-large-'));
  const [socket, edited] = [join(folder, 'api.sock'), join(folder, 'rules')];
  const { snapshot, reports, status, newText } = largeHostData(dice(7));
  writeFileSync(edited, newText);
  const api = await serveApi(socket, {
    status: () => status,
    ready: () => true,
    unreadable: () => [],
    networksErrors: () => 0,
    override: async () => ({ results: [] }),
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    setPort: async (request) => ({ ...request, state: 'off', openings: [] }),
    sources: () => ({
      consul: '127.0.0.1:8500',
      kvPath: 'egress/acl/',
      ingressPath: 'ingress/acl/',
      docker: '/var/run/docker.sock',
    }),
    namespace: (container) => {
      const namespace = status.namespaces.find(({ target }) => target === container);
      if (namespace === undefined) throw new UserError(`no container "${container}"`);
      return { namespace };
    },
    diagnostics: createDiagnostics({
      snapshot: async () => snapshot,
      denied: async (container) =>
        reports.filter((one) => container === undefined || one.container === container),
      ingress: async () => [],
      host: async () => HOST_OFF,
      hostOfCalls: async () => HOST_OFF,
      deniedCalls: async () => {
        throw new UserError('no port is guarded');
      },
    }),
  });
  const dispose = async () => {
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { socket, edited, [Symbol.asyncDispose]: dispose };
}

/** A whole number from 0 on, below the limit. */
type Dice = (limit: number) => number;

/** The same numbers in each run. */
const dice = (seed: number): Dice => {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
};

function largeHostData(below: Dice) {
  const shared = rules(RULES, below);
  const own = Array.from({ length: 20 }, (_, index) => [`own-${index}`, rules(100, below)] as const);
  const snapshot = largeSnapshot({ shared, ...Object.fromEntries(own) });
  const more = ['10.7.0.0/16:tcp/1-1024', rules(100, below)];
  return {
    snapshot,
    reports: (snapshot.namespaces ?? []).map(({ target }) => reportOf(target, below)),
    status: statusOf(snapshot),
    newText: [...shared.split('\n').slice(100), ...more].join('\n'),
  };
}

/** One in ten names a service; the others are hosts and networks of 10.0.0.0/8, overlaps and all. */
const rules = (lines: number, below: Dice): string =>
  Array.from({ length: lines }, () => rule(below)).join('\n');

function rule(below: Dice): string {
  if (below(10) === 0) return `production.service-${below(SERVICES)}`;
  const length = ['', '', '/24', '/28'][below(4)] ?? '';
  const host = length === '' ? below(256) : 0;
  const ports = ['80', '443', '5432', '8000-8100', '80,443'][below(5)];
  return `10.${below(256)}.${below(256)}.${host}${length}:tcp/${ports}`;
}

const largeSnapshot = (keys: Readonly<Record<string, string>>): Snapshot =>
  snapshotOf({
    keys,
    namespaces: Array.from({ length: WORKLOADS }, (_, index) => ({
      ...{ workloads: [`w${index}`], ids: [`${index}`.padStart(64, 'f')], target: `w${index}` },
      ...{ grants: ['shared', `own-${index % 20}`], mode: 'enforce', dns: 'resolvers' },
      resolvers: ['10.0.0.1'],
    })),
    services: Object.fromEntries(
      Array.from({ length: SERVICES }, (_, index) => [`service-${index}`, instances(index)]),
    ),
    protectedHosts: ['169.254.169.254'],
  });

const instances = (service: number) =>
  Array.from({ length: 5 }, (_, host) => ({
    ...{ address: `10.200.${service % 256}.${host}`, port: 8000 + service },
    ...{ tags: ['production'], node: `node-${host}` },
  }));

const reportOf = (container: string, below: Dice): DeniedReport => ({
  ...{ container, workloads: [container], mode: 'enforce', readAt: Date.now() },
  destinations: Array.from({ length: DESTINATIONS }, () => ({
    ...{ address: `10.${below(256)}.${below(256)}.${below(256)}`, protocol: 'tcp', port: 1 + below(9_000) },
    ...{ packets: 1, firstSeenAt: 0, lastSeenAt: 0 },
  })),
});

const statusOf = ({ namespaces = [], catalog }: Snapshot): Status => ({
  namespaces: namespaces.map(({ target, workloads, grants, mode, dns }) => ({
    ...{ id: `${target}@0`, workloads, target, state: 'protected', grants, mode, dns, hasRawSockets: true },
    ...{ fingerprint: 'f'.repeat(32), verifiedAt: 0, lastError: undefined, problems: [] },
  })),
  sources: [...catalog.keys()].map((name) => ({
    ...{ name: `service ${name}`, known: true, confirmedAt: 0, error: undefined },
  })),
  unsupported: [],
});
