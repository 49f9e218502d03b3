/**
 * Every command on a large host: 200 workloads, 10,000 rules that each of them holds, 300 services.
 * The API is real, what stands behind it is not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiServer, serveApi } from '../../../../src/adapters/api/server.ts';
import { createActions } from '../../../../src/cli/commands.ts';
import { createProgram } from '../../../../src/cli/program.ts';
import type { Picture } from '../../../../src/controller/picture.ts';
import type { RefusalReport } from '../../../../src/controller/refusal-log.ts';
import type { Status } from '../../../../src/controller/status.ts';

const WORKLOADS = 200;
const RULES = 10_000;
const SERVICES = 300;
/** Milliseconds; a second where nothing else runs, and this much where tests do. */
const LIMIT = 30_000;

/** The same numbers in each run. */
const dice = (seed: number) => (): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
};
const random = dice(7);
const below = (limit: number): number => Math.floor(random() * limit);

const rule = (): string => {
  if (below(10) === 0) return `production.service-${below(SERVICES)}`;
  const length = ['', '', '/24', '/28'][below(4)] ?? '';
  const address =
    length === '' ? `10.${below(256)}.${below(256)}.${below(256)}` : `10.${below(256)}.${below(256)}.0`;
  return `${address}${length}:tcp/${['80', '443', '5432', '8000-8100', '80,443'][below(5)]}`;
};
const text = (lines: number): string => Array.from({ length: lines }, rule).join('\n');

const shared = text(RULES);
const picture: Picture = {
  places: Array.from({ length: WORKLOADS }, (_, index) => ({
    ...{ workloads: [`w${index}`], ids: [`${index}`.padStart(64, 'f')], target: `w${index}` },
    ...{
      grants: ['shared', `own-${index % 20}`],
      mode: 'enforce' as const,
      dns: 'resolvers' as const,
      resolvers: ['10.0.0.1'],
    },
  })),
  rules: [
    { key: 'shared', text: shared },
    ...Array.from({ length: 20 }, (_, index) => ({ key: `own-${index}`, text: text(100) })),
  ],
  services: Array.from({ length: SERVICES }, (_, index) => ({
    name: `service-${index}`,
    instances: Array.from({ length: 5 }, (_value, host) => ({
      ...{
        address: `10.200.${index % 256}.${host}`,
        port: 8000 + index,
        tags: ['production'],
        node: `node-${host}`,
      },
    })),
  })),
  ...{ unread: [], protectedHosts: ['169.254.169.254'], denylist: false },
};

const reports: readonly RefusalReport[] = picture.places.map(({ target }) => ({
  ...{ container: target, workloads: [target], mode: 'enforce' },
  refusals: Array.from({ length: 50 }, () => ({
    ...{ address: `10.${below(256)}.${below(256)}.${below(256)}`, protocol: 'tcp', port: 1 + below(9_000) },
    ...{ packets: 1, firstSeenAt: 0, lastSeenAt: 0 },
  })),
}));

const status: Status = {
  namespaces: picture.places.map(({ target, workloads, grants, mode, dns }) => ({
    ...{ id: `${target}@0`, workloads, target, state: 'protected', grants, mode, dns, hasRawSockets: false },
    ...{ fingerprint: 'f'.repeat(32), verifiedAt: 0, lastError: undefined, problems: [] },
  })),
  sources: picture.services.map(({ name }) => ({
    name: `service ${name}`,
    known: true,
    confirmedAt: 0,
    error: undefined,
  })),
  refused: [],
};

let folder: string;
let api: ApiServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-scale-'));
  api = await serveApi(join(folder, 'api.sock'), {
    status: () => status,
    ready: () => true,
    override: async () => ({ results: [] }),
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    picture: async () => picture,
    refusals: async ({ container }) =>
      reports.filter((one) => container === undefined || one.container === container),
  });
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]): Promise<string> {
  let output = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      output += String(chunk);
      done();
    },
  });
  const actions = createActions({ stdout: stream, stderr: stream, environment: {} });
  const program = createProgram('0', actions).exitOverride();
  await program.parseAsync([...args, '--socket', join(folder, 'api.sock')], { from: 'user' });
  return output;
}

const edited = (): string => {
  const path = join(folder, 'rules');
  writeFileSync(
    path,
    [...shared.split('\n').slice(100), '10.7.0.0/16:tcp/1-1024', ...text(100).split('\n')].join('\n'),
  );
  return path;
};

test.each([
  ['status', () => run('status'), /w199 +protected/],
  ['denied', () => run('denied', 'w7'), /w7 +10\./],
  ['denied of all', () => run('denied'), /w199 +10\./],
  ['explain', () => run('explain', 'w7', '10.1.2.3', 'tcp/22'), /w7 may not reach 10\.1\.2\.3 tcp\/22/],
  ['explain of a service', () => run('explain', 'w7', 'service-7'), /w7 may (not )?reach 10\.200\.7\.4/],
  ['suggest', () => run('suggest', 'w7'), /# w7: 50 destinations refused/],
  ['suggest of all', () => run('suggest'), /# w199: 50 destinations refused/],
  ['lint', () => run('lint'), /0 errors/],
  [
    'diff',
    () => run('diff', 'shared', '--file', edited()),
    /200 workloads hold shared; 200 would see a change/,
  ],
] as const)('%s', async (name, work, expected) => {
  await run('lint', '--file', edited()).catch(() => undefined);
  const started = performance.now();
  const output = await work();
  const milliseconds = performance.now() - started;
  process.stdout.write(`measured: ${name}: ${Math.round(milliseconds)} ms\n`);
  expect(output).toMatch(expected);
  expect(milliseconds).toBeLessThan(LIMIT);
});
