/** TLS on a real Consul that wants a client certificate: the right files, and each wrong one. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, makeCertificates, startConsul } from '../../lab/consul.ts';
import type { ConsulOptions } from '../../src/sources/consul/options.ts';
import { openSource } from './consul-support.ts';

type Files = Pick<ConsulOptions, 'caFile' | 'certFile' | 'keyFile'>;

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-tls-'));
let consul: Consul;
let right: Files;
let stranger: Files;

beforeAll(async () => {
  consul = await startConsul({ tls: 'mutual' });
  right = filesOf(consul.certificates);
  stranger = filesOf(await makeCertificates(join(folder, 'stranger'), ['localhost']));
});
afterAll(async () => {
  await consul?.stop();
  rmSync(folder, { recursive: true });
});

function filesOf(certificates: Consul['certificates']): Files {
  if (certificates === undefined) throw new Error('This Consul has no certificates.');
  return { caFile: certificates.caFile, ...certificates.client };
}

async function read(options: Partial<ConsulOptions>): Promise<unknown> {
  const source = openSource({ address: consul.address, ...options });
  try {
    return await source.readRules();
  } finally {
    source.close();
  }
}

test('the right files, by https:// and by --ssl', async () => {
  expect(await read(right)).toEqual(new Map());
  expect(await read({ ...right, ssl: true, address: consul.address.replace('https://', '') })).toEqual(
    new Map(),
  );
});

test.each([
  ['no CA', () => ({ ...right, caFile: undefined }), 'an unknown authority'],
  ['another CA', () => ({ ...right, caFile: stranger.caFile }), 'an unknown authority'],
  ['no client certificate', () => ({ caFile: right.caFile }), 'does not accept our client certificate'],
  ['another client certificate', () => ({ ...stranger, caFile: right.caFile }), 'our client certificate'],
  ['no TLS', () => ({ address: consul.address.replace('https', 'http') }), 'speaks only TLS'],
  ['a key of another certificate', () => ({ ...right, keyFile: stranger.keyFile }), 'is not the key of'],
])('%s', async (_name, options, message) => {
  await expect(read(options())).rejects.toThrow(message);
});

test('an address that the certificate does not hold', async () => {
  const { certFile, keyFile } = consul.certificates?.server ?? {};
  if (certFile === undefined || keyFile === undefined) throw new Error('This Consul has no certificates.');
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  server.listen(0, '127.0.0.77');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(read({ ...right, address: `https://127.0.0.77:${port}` })).rejects.toThrow(
    'has a certificate for another name',
  );
  server.close();
});
