/**
 * What commands print. Results go to standard output, everything else to standard error, so that
 * output can be piped.
 */
import type { Environment } from '../config/config.ts';

export interface Output {
  /** A result: `text` for people, `value` with --json. */
  result(value: unknown, text: string): void;
  /** A remark for people; never part of the result. */
  note(text: string): void;
  /** What to do next, for people who sit at a terminal; nothing where the result goes elsewhere. */
  hint(text: string): void;
}

export interface Terminal {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly environment: Environment;
}

export function createOutput({ stdout, stderr }: Terminal, json: boolean): Output {
  return {
    result: (value, text) => stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : withNewline(text)),
    note: (text) => stderr.write(withNewline(text)),
    hint: (text) => {
      if (stdout.isTTY === true && !json) stderr.write(withNewline(`\n${text}`));
    },
  };
}

/** Colour: only on a terminal, and never where NO_COLOR is set (https://no-color.org). */
export const wantsColour = (stream: { readonly isTTY?: boolean }, environment: Environment): boolean =>
  stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
