/**
 * Certificates for HTTPS to Consul, read and checked before the first connection, so that a wrong
 * file is told by its name and not as a failed handshake.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConsulError, messageOf } from '../../common/errors.ts';
import { named } from './names.ts';

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface TlsFileNames {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export function readTlsFiles({ caFile, certFile, keyFile }: TlsFileNames): TlsFiles {
  const ca = caFile === undefined ? {} : { ca: readCertificate(caFile, named.ca) };
  if (certFile === undefined && keyFile === undefined) return ca;
  if (certFile === undefined || keyFile === undefined) {
    throw new ConsulError(`${named.cert} and ${named.key} belong together: set both or neither.`, {
      permanent: true,
    });
  }
  const cert = readCertificate(certFile, named.cert);
  const key = readPem(keyFile, named.key);
  check(() => createSecureContext({ cert, key }), keyFile, named.key, `the key of ${certFile}`);
  return { ...ca, cert, key };
}

function readCertificate(path: string, setting: string): Buffer {
  const pem = readPem(path, setting);
  check(() => new X509Certificate(pem), path, setting, 'a certificate in PEM form');
  return pem;
}

function readPem(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConsulError(
      `Cannot read ${path}, given as ${setting}: ${messageOf(cause)}; check its path and permissions.`,
      {
        cause,
        permanent: true,
      },
    );
  }
}

function check(use: () => unknown, path: string, setting: string, expected: string): void {
  try {
    use();
  } catch (cause) {
    throw new ConsulError(`${path}, given as ${setting}, is not ${expected}: name the right file.`, {
      cause,
      permanent: true,
    });
  }
}
