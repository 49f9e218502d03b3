/**
 * The streams and the environment of a command.
 */
import type { Environment } from './config.ts';

export interface Terminal {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** The input for answers; undefined: nobody can be asked. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly environment: Environment;
}

/** Colour: only on a terminal, and never where NO_COLOR is set (https://no-color.org). */
export const wantsColour = (stream: { readonly isTTY?: boolean }, environment: Environment): boolean =>
  stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
