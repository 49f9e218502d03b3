/**
 * Reads the files that protect the page: the token, the certificate and its key. Each problem is one sentence.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { messageOf, UserError } from '../common/errors.ts';
import { readRegularFile } from '../common/regular-file.ts';
import type { Files } from './access-plan.ts';

const LEAST = 32;
const MOST = 512;
const FOR_OTHERS = 0o007;

export async function readToken(path: string): Promise<string> {
  const token = (await readSecret(path, '--page-token-file')).trim();
  const problem =
    token.length < LEAST
      ? `at least ${LEAST} characters (such as of \`openssl rand -hex 32\`), not ${token.length}`
      : token.length > MOST || !/^[\x21-\x7e]+$/.test(token)
        ? `one line of at most ${MOST} ASCII characters without spaces`
        : undefined;
  if (problem === undefined) return token;
  throw new UserError(`--page-token-file: expected ${problem}, in ${path}`);
}

export async function readTls(files: Files): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = await readNamed(files.cert, '--page-cert');
  const key = await readSecret(files.key, '--page-key');
  const certificate = parsed(() => new X509Certificate(cert), `--page-cert: ${files.cert} is no certificate`);
  const privateKey = parsed<KeyObject>(
    () => createPrivateKey(key),
    `--page-key: ${files.key} is no private key without a password`,
  );
  if (certificate.checkPrivateKey(privateKey)) return { cert, key };
  throw new UserError(`the certificate in ${files.cert} does not belong to the key in ${files.key}`);
}

function parsed<T>(parse: () => T, problem: string): T {
  try {
    return parse();
  } catch (error) {
    throw new UserError(`${problem} (PEM)`, { cause: error });
  }
}

async function readSecret(path: string, flag: string): Promise<string> {
  const text = await readNamed(path, flag);
  const { mode } = await stat(path);
  if ((mode & FOR_OTHERS) === 0) return text;
  throw new UserError(`${flag}: every user of this host may read ${path}; chmod 640 it first`);
}

async function readNamed(path: string, flag: string): Promise<string> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    throw new UserError(`${flag}: cannot read ${path} (${messageOf(error)})`, { cause: error });
  }
}
