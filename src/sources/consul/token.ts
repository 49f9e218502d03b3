/**
 * The ACL token, from an option or from a file that is read anew each time it is asked for.
 * A token never stands in a message.
 */
import { readFile } from 'node:fs/promises';
import { ConsulError, messageOf } from '../../common/errors.ts';
import { named } from './names.ts';

export interface TokenOptions {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/** The token to send now; undefined: send none, which Consul calls the anonymous token. */
export async function currentToken({ token, tokenFile }: TokenOptions): Promise<string | undefined> {
  const text = tokenFile === undefined ? (token ?? '') : await readToken(tokenFile);
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  const from = tokenFile ?? named.token;
  throw new ConsulError(`The token in ${from} has spaces or other invalid characters: check it.`, {
    permanent: true,
  });
}

/** `text` with the token made unreadable, should anybody have echoed it. */
export const redact = (text: string, token: string | undefined): string =>
  token === undefined ? text : text.replaceAll(token, '<token>');

async function readToken(path: string): Promise<string> {
  const text = await readText(path);
  // A file that is just being rewritten must not turn us into the anonymous user.
  if (text.trim() !== '') return text;
  throw new ConsulError(
    `The token file ${path}, given as ${named.tokenFile}, is empty: write the token to it.`,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConsulError(
      `Cannot read the token file ${path}, given as ${named.tokenFile}: ${messageOf(cause)}; check its path and permissions.`,
      { cause, permanent: true },
    );
  }
}
