/**
 * Asks before something is removed from many containers at once. Without a terminal it requires --yes.
 */
import { createInterface } from 'node:readline/promises';
import { UsageError, UserError } from '../common/errors.ts';
import type { Terminal } from '../config/terminal.ts';

export interface Consent {
  /** The value of --yes. */
  readonly yes: unknown;
  /** The output is JSON for a program, which cannot answer. */
  readonly json: boolean;
  /** What happens without --yes, for the error: `nothing was removed`. */
  readonly otherwise: string;
}

/** Throws a `UsageError` without a terminal, and a `UserError` if the answer is no. */
export async function confirm({ yes, json, otherwise }: Consent, terminal: Terminal): Promise<void> {
  if (yes === true) return;
  const { stdin, stderr } = terminal;
  if (json || stdin?.isTTY !== true || stderr.isTTY !== true)
    throw new UsageError(`${otherwise}: without a terminal, add --yes`);
  const lines = createInterface({ input: stdin, output: stderr });
  // The end of the input counts as "no".
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question('Go on? [y/N] '), ended]);
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new UserError(otherwise);
  } finally {
    lines.close();
  }
}
