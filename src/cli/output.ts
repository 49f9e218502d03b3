/**
 * What commands print. Results go to standard output, everything else to standard error, so that
 * output can be piped.
 *
 * All output passes here, and no text of others is printed unchanged: a text result is made from a copy whose texts
 * are printable, notes and errors are one line each, and in the end every control character except line ends and
 * our own colours is escaped.
 */

import { messageOf, UserError } from '../common/errors.ts';
import { printable, printableJson, printableLines, shown } from '../common/text.ts';
import type { Terminal } from '../config/terminal.ts';

export interface Output {
  /** A result for people: what `present` makes of `seen`, whose texts are fit to be shown; with --json, `value`. */
  result<T>(seen: T, present: (seen: T) => string, value?: unknown): void;
  /** One of many results, in one line: for people, or `seen` itself as JSON. */
  line<T>(seen: T, present: (seen: T) => string): void;
  /** A result that is a text of many lines for another program; with --json, `value`. */
  text(text: string, value: unknown): void;
  /** A note of one line; never part of the result. */
  note(text: string): void;
  /** The next step; only printed on a terminal. */
  hint(lines: readonly string[]): void;
}

/** Characters of a note, a hint or an error. */
const MOST = 2_000;

export function createOutput({ stdout, stderr }: Terminal, json: boolean): Output {
  const print = (value: unknown, indent: number, text: () => string) =>
    stdout.write(json ? `${printableJson(JSON.stringify(value, null, indent))}\n` : withNewline(text()));
  return {
    result: (seen, present, value = seen) => print(value, 2, () => keepColours(present(shown(seen)))),
    line: (seen, present) => print(seen, 0, () => keepColours(present(shown(seen)))),
    text: (text, value) => print(value, 2, () => printableLines(text)),
    note: (text) => stderr.write(`${printable(text, MOST)}\n`),
    hint: (lines) => {
      if (stdout.isTTY !== true || json) return;
      stderr.write(`\n${lines.map((line) => `${printable(line, MOST)}\n`).join('')}`);
    },
  };
}

/** Prints an error: one sentence for each problem that a user can fix, and otherwise the stack trace. */
export function printError(error: unknown, { stderr, environment }: Terminal): void {
  const print = (line: string) => stderr.write(`egresstrator: ${line}\n`);
  if (error instanceof UserError) {
    for (const line of error.lines) print(printable(line, MOST));
    return;
  }
  const trace =
    environment.EGRESSTRATOR_LOG_LEVEL === 'debug' && error instanceof Error ? error.stack : undefined;
  print(`defect: ${trace === undefined ? printable(messageOf(error), MOST) : printableLines(trace)}`);
}

/** The colour sequences of `style.ts`. */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|22|31|32|33|39)m`, 'gu');

const keepColours = (text: string): string => printableLines(text, COLOURS);

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
