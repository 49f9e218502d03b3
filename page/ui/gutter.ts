/**
 * The numbers beside the lines of a text, with a sign where something is to say. Pure.
 */
import type { Finding, Severity } from '../../src/diagnostics/finding.ts';

/** A run of numbers that look the same, one on each line. */
export interface GutterPart {
  readonly severity?: Severity | undefined;
  readonly text: string;
}

/** So that it can be told without colours. */
const SIGN: Readonly<Record<Severity, string>> = { error: '×', warning: '!', info: 'i' };

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** The worst of each line. */
export function severities(
  findings: readonly Pick<Finding, 'line' | 'severity'>[],
): ReadonlyMap<number, Severity> {
  const worst = new Map<number, Severity>();
  for (const { line, severity } of findings) {
    if (line === undefined) continue;
    const known = worst.get(line);
    if (known === undefined || ORDER.indexOf(severity) < ORDER.indexOf(known)) worst.set(line, severity);
  }
  return worst;
}

export function gutterParts(lines: number, marks: ReadonlyMap<number, Severity>): readonly GutterPart[] {
  const parts: { severity?: Severity | undefined; numbers: string[] }[] = [];
  for (let line = 1; line <= lines; line += 1) {
    const severity = marks.get(line);
    const last = parts.at(-1);
    const number = severity === undefined ? String(line) : `${SIGN[severity]} ${line}`;
    if (last !== undefined && last.severity === severity) last.numbers.push(number);
    else parts.push({ severity, numbers: [number] });
  }
  return parts.map(({ severity, numbers }) => ({ severity, text: `${numbers.join('\n')}\n` }));
}
