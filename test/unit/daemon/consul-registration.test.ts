/** What a controller tells Consul of itself over time: when, how often, and what becomes of failures. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../../lab/wait.ts';
import { resolveConfig } from '../../../src/config/config.ts';
import { ConsulRegistration, type RegistrationConfig } from '../../../src/daemon/consul-registration.ts';
import { parseHostStatus } from '../../../src/daemon/host-status.ts';
import type { Status } from '../../../src/daemon/status.ts';
import { FakeLog } from '../../support/fakes.ts';

const TIMING = { first: 5, interval: 10, repeat: 3_600_000 };
const REGISTER = 'PUT /v1/agent/service/register';
const BEAT = 'PUT /v1/agent/check/pass/service%3Aegresstrator-docker-1';
const WARNING = 'PUT /v1/agent/check/warn/service%3Aegresstrator-docker-1';
const PUBLISH = 'PUT /v1/kv/egress%2Fstatus%2Fdocker-1';
const DEREGISTER = 'PUT /v1/agent/service/deregister/egresstrator-docker-1';

let server: Server;
let calls: { readonly call: string; readonly note: string | null; readonly body: string }[];
/** What Consul answers. */
let code: number;
let status: Status;
let log: FakeLog;

beforeEach(async () => {
  calls = [];
  code = 200;
  status = { namespaces: [], sources: [], unsupported: [] };
  log = new FakeLog();
  server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://consul');
    const note = searchParams.get('note');
    calls.push({ call: `${request.method} ${pathname}`, note, body: await text(request) });
    response.writeHead(code).end(code === 200 ? '' : 'Permission denied');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const isBound = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;
const configOf = (more: Partial<RegistrationConfig>): RegistrationConfig => {
  const address = server.address();
  const consul = `127.0.0.1:${isBound(address) ? address.port : 0}`;
  const { consul: settings } = resolveConfig({ consul }, {});
  return { consul: settings, node: 'docker-1', register: undefined, publish: undefined, ...more };
};
const start = (more: Partial<RegistrationConfig>, timing = TIMING): ConsulRegistration =>
  new ConsulRegistration(configOf(more), () => status, log, timing);

const times = (call: string): number => calls.filter((one) => one.call === call).length;
const until = (call: string, count: number): Promise<unknown> =>
  waitFor(() => times(call) >= count, { what: `${call}, ${count} times`, timeout: 15_000, interval: 5 });
const lastBody = (call: string): string => calls.findLast((one) => one.call === call)?.body ?? '';

test('is silent where it is asked for nothing', async () => {
  const registration = start({});
  await new Promise((resolve) => setTimeout(resolve, 50));
  await registration.close();
  expect([calls, log.lines]).toEqual([[], []]);
});

test('registers once, beats on, and is gone in the end', async () => {
  const registration = start({ register: 'egresstrator' });
  await until(BEAT, 3);
  status = { ...status, sources: [{ name: 'rules', known: true, confirmedAt: 1, error: 'lost' }] };
  await until(WARNING, 2);
  await registration.close();
  expect([times(REGISTER), times(DEREGISTER), times(PUBLISH)]).toEqual([1, 1, 0]);
  expect(calls.at(-1)?.call).toBe(DEREGISTER);
  const { note } = calls.findLast(({ call }) => call === WARNING) ?? {};
  expect(note).toBe('0 namespaces, 0 failed, 0 unsupported, 1 sources failing');
});

test('warns of ingress rules that could not be loaded', async () => {
  const one = { id: 'web@1', workloads: ['web'], target: 'web', keys: [], mode: 'enforce' } as const;
  const failed = {
    state: 'failed',
    fingerprint: undefined,
    verifiedAt: undefined,
    lastError: 'no nft',
  } as const;
  const host = { name: 'proxy', problem: { severity: 'error', reason: 'host network' } } as const;
  status = { ...status, ingress: [{ ...one, ...failed, problems: [] }], unsupported: [host, host] };
  const registration = start({ register: 'egresstrator', publish: 'egress/status/' });
  await until(WARNING, 1);
  await until(PUBLISH, 1);
  expect(parseHostStatus(lastBody(PUBLISH))).toMatchObject({
    states: { unsupported: 1 },
    errors: ['web: no nft', 'proxy: host network'],
  });
  await registration.close();
  const { note } = calls.findLast(({ call }) => call === WARNING) ?? {};
  expect(note).toBe('1 namespaces, 1 failed, 1 unsupported, 0 sources failing');
});

test('publishes what changed, and a last word that nobody looks after it any more', async () => {
  const registration = start({ register: 'egresstrator', publish: 'egress/status/' });
  await until(BEAT, 4);
  expect(times(PUBLISH)).toBe(1);
  status = { ...status, unsupported: [{ name: 'proxy', problem: { severity: 'error', reason: 'host' } }] };
  await until(PUBLISH, 2);
  expect(parseHostStatus(lastBody(PUBLISH))).toMatchObject({ running: true, states: { unsupported: 1 } });
  await registration.close();
  expect(times(PUBLISH)).toBe(3);
  expect(parseHostStatus(lastBody(PUBLISH))).toMatchObject({ running: false, states: { unsupported: 1 } });
});

test('publishes an unchanged status from time to time, so that its age says something', async () => {
  const registration = start({ publish: 'egress/status/' }, { ...TIMING, repeat: 1 });
  await until(PUBLISH, 3);
  await registration.close();
});

test('logs a failure once, goes on, and says when it is over', async () => {
  code = 403;
  const registration = start({ register: 'egresstrator' });
  await until(REGISTER, 4);
  expect(log.messages('warn')).toEqual(['cannot publish status to Consul; rules are not affected']);
  code = 200;
  await until(BEAT, 1);
  await waitFor(() => log.lines.length === 2, { what: 'the end of it', timeout: 15_000, interval: 5 });
  expect(log.messages('info')).toEqual(['publishing status to Consul works again']);
  await registration.close();
});
