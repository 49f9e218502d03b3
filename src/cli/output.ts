/**
 * The output of commands. Results go to standard output, everything else to standard error, so that output can be
 * piped.
 *
 * All output passes through this file, and no foreign text is printed unchanged: a text result is made from a copy
 * whose texts are printable, notes and errors are one line each, and at the end every control character except line
 * ends and our own colours is escaped.
 */

import { messageOf, UserError } from '../common/errors.ts';
import { printable, printableJson, printableLines, shown } from '../common/text.ts';
import type { Terminal } from '../config/terminal.ts';

export interface Output {
  /**
   * Prints a result: the text that `present` returns for a printable copy of `seen`, or with --json `value`.
   */
  result<T>(seen: T, present: (seen: T) => string, value?: unknown): void;
  /** Prints one of many results in one line: as text, or `seen` itself as JSON. */
  line<T>(seen: T, present: (seen: T) => string): void;
  /** Prints a text of many lines for another program, or with --json `value`. */
  text(text: string, value: unknown): void;
  /** Prints a note of one line; never part of the result. */
  note(text: string): void;
  /** Prints the next step, only on a terminal. */
  hint(lines: readonly string[]): void;
}

/** The most characters of a note, a hint or an error. */
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
