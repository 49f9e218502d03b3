/**
 * The ACL token, from an option or from a file that is read again for each request. No message contains a token.
 */
import { readFile } from 'node:fs/promises';
import { ConsulError, messageOf } from '../../common/errors.ts';
import { named } from './setting-names.ts';

export interface TokenOptions {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/** The token to send now; undefined: none, which Consul treats as the anonymous token. */
export async function currentToken({ token, tokenFile }: TokenOptions): Promise<string | undefined> {
  const text = tokenFile === undefined ? (token ?? '').trim() : await readToken(tokenFile);
  if (text === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new ConsulError(
    `The token in ${tokenFile ?? named.token} has spaces or other invalid characters: check it.`,
    { permanent: true },
  );
}

/** Removes the token from a text that may repeat it. */
export const redact = (text: string, token: string | undefined): string =>
  token === undefined ? text : text.replaceAll(token, '<token>');

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = `${messageOf(cause)}; check its path and permissions`;
    const message = `Cannot read the token file ${path}, given as ${named.tokenFile}: ${why}.`;
    throw new ConsulError(message, { cause, permanent: true });
  });
  // A file that is being rewritten may be empty; that must not make us the anonymous user.
  if (text.trim() !== '') return text.trim();
  throw new ConsulError(
    `The token file ${path}, given as ${named.tokenFile}, is empty: write the token to it.`,
  );
}
