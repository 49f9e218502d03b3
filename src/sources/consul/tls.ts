/**
 * Reads and checks the certificates for HTTPS before the first connection, so that an error names the wrong file
 * instead of a failed handshake.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConsulError, messageOf } from '../../common/errors.ts';
import { named } from './setting-names.ts';

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
  const isCertificate = (pem: Buffer) => new X509Certificate(pem);
  const read = (path: string, setting: string) =>
    readPem(path, setting, 'a certificate in PEM form', isCertificate);
  const ca = caFile === undefined ? {} : { ca: read(caFile, named.ca) };
  if (certFile === undefined && keyFile === undefined) return ca;
  if (certFile === undefined || keyFile === undefined)
    throw wrong(`${named.cert} and ${named.key} belong together: set both or neither`);
  const cert = read(certFile, named.cert);
  const isItsKey = (key: Buffer) => createSecureContext({ cert, key });
  return { ...ca, cert, key: readPem(keyFile, named.key, `the key of ${certFile}`, isItsKey) };
}

function readPem(path: string, setting: string, expected: string, check: (pem: Buffer) => unknown): Buffer {
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (cause) {
    throw wrong(
      `Cannot read ${path}, given as ${setting}: ${messageOf(cause)}; check its path and permissions`,
      cause,
    );
  }
  try {
    check(pem);
  } catch (cause) {
    throw wrong(`${path}, given as ${setting}, is not ${expected}: name the right file`, cause);
  }
  return pem;
}

const wrong = (message: string, cause?: unknown): ConsulError =>
  new ConsulError(`${message}.`, { cause, permanent: true });
