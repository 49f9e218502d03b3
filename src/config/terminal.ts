/**
 * Where a command reads and writes, and what its environment says.
 */
import type { Environment } from './config.ts';

export interface Terminal {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Where people answer; none: nobody can be asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly environment: Environment;
}

/** Colour: only on a terminal, and never where NO_COLOR is set (https://no-color.org). */
export const wantsColour = (stream: { readonly isTTY?: boolean }, environment: Environment): boolean =>
  stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
