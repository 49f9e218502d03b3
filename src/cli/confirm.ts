/**
 * Before something is taken away from many at once: asks whoever sits at the terminal, and asks for --yes where
 * nobody does.
 */
import { createInterface } from 'node:readline/promises';
import { UsageError, UserError } from '../common/errors.ts';
import type { Terminal } from '../config/terminal.ts';

export interface Consent {
  /** What --yes said. */
  readonly yes: unknown;
  /** Output is for a program, which cannot answer. */
  readonly json: boolean;
  /** What happens without --yes, for the error: `nothing was removed`. */
  readonly otherwise: string;
}

/** Throws a `UsageError` where nobody can be asked, and a `UserError` where the answer is no. */
export async function confirm({ yes, json, otherwise }: Consent, terminal: Terminal): Promise<void> {
  if (yes === true) return;
  const { stdin, stderr } = terminal;
  if (json || stdin?.isTTY !== true || stderr.isTTY !== true)
    throw new UsageError(`${otherwise}: without a terminal, add --yes`);
  const lines = createInterface({ input: stdin, output: stderr });
  // The end of the input is an answer as well.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question('Go on? [y/N] '), ended]);
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new UserError(otherwise);
  } finally {
    lines.close();
  }
}
