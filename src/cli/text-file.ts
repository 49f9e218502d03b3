/**
 * Texts that commands are given: a file, or standard input. None of them can make a command wait or read for ever, except
 * a terminal.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { messageOf, UserError } from '../common/errors.ts';
import { MOST_TEXT, readRegularFile, TOO_LONG } from '../common/regular-file.ts';

/** `-` is standard input. */
export async function readText(path: string): Promise<string> {
  try {
    if (path === '-') return await limitedText(process.stdin);
    return IS_STREAM.test(path) ? await limitedText(createReadStream(path)) : await readRegularFile(path);
  } catch (error) {
    throw new UserError(`the file ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** As a shell names them, for example for `<(consul kv get …)`. */
const IS_STREAM = /^\/(dev\/stdin|(dev|proc\/self)\/fd\/\d+)$/;

async function limitedText(stream: Readable): Promise<string> {
  let text = '';
  for await (const part of stream.setEncoding('utf8')) {
    text += String(part);
    if (text.length > MOST_TEXT) throw new UserError(TOO_LONG);
  }
  return text;
}
