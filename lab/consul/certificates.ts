/** A certificate authority for a day, with a server's and a client's certificate. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ensureCommands } from '../apt.ts';
import { run } from '../run.ts';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificates {
  readonly caFile: string;
  readonly server: Certificate;
  readonly client: Certificate;
}

/** Made in `folder`. A second authority, for tests of distrust, is made by calling it for another folder. */
export async function makeCertificates(folder: string, hosts: readonly string[]): Promise<Certificates> {
  await ensureCommands({ openssl: 'openssl' });
  mkdirSync(folder, { recursive: true });
  const ca = await makeAuthority(folder);
  const server = await makeCertificate(folder, 'server', ca, [...hosts, ...ownAddresses()]);
  const client = await makeCertificate(folder, 'client', ca, ['client']);
  return { caFile: ca.certFile, server, client };
}

async function makeAuthority(folder: string): Promise<Certificate> {
  const extensions = ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign'];
  return request(folder, 'ca', extensions);
}

function makeCertificate(folder: string, name: string, ca: Certificate, hosts: readonly string[]) {
  const names = hosts.map((host) => (/^[\d.]+$|:/.test(host) ? `IP:${host}` : `DNS:${host}`));
  const extensions = [
    'basicConstraints = CA:FALSE',
    'extendedKeyUsage = serverAuth, clientAuth',
    `subjectAltName = ${[...new Set(names)].join(', ')}`,
  ];
  return request(folder, name, extensions, ['-CA', ca.certFile, '-CAkey', ca.keyFile]);
}

async function request(folder: string, name: string, extensions: readonly string[], signer: string[] = []) {
  const config = join(folder, `${name}.cnf`);
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const head = ['[req]', 'prompt = no', 'distinguished_name = name', 'x509_extensions = extensions'];
  const subject = ['[name]', `CN = egresstrator lab ${name}`];
  writeFileSync(config, [...head, ...subject, '[extensions]', ...extensions, ''].join('\n'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  await run('openssl', [
    'req',
    '-x509',
    '-days',
    '2',
    '-config',
    config,
    ...key,
    '-out',
    certFile,
    ...signer,
  ]);
  return { certFile, keyFile };
}

/** So that the server may be reached from containers too. Link-local addresses have a zone; leave them. */
function ownAddresses(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
}
