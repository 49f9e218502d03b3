/**
 * Findings as text: one line each, as compilers print them, and the remedy below.
 */
import type { Finding, Severity } from '../../diagnostics/finding.ts';
import type { Colour, Style } from '../../format/style.ts';
import { count, list } from '../../format/values.ts';

const COLOURS: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

export function formatFindings(
  findings: readonly Finding[],
  unread: readonly string[],
  style: Style,
): string {
  const lines = findings.map(({ severity, key, direction, container, line, text, reason, remedy }) => {
    const where = key === undefined ? (container ?? '') : `${direction ? `${direction} ` : ''}${key}`;
    const place = line === undefined ? where : `${where}:${line}`;
    const what = text === undefined ? '' : `${text}: `;
    return `${place}: ${style(COLOURS[severity], severity)}: ${what}${reason}\n  ${remedy}`;
  });
  const unchecked =
    unread.length === 0
      ? []
      : [`not checked, because there are too many services: ${list(unread.slice(0, 5))}`];
  return [...lines, ...unchecked, summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no findings';
  const number = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length;
  return `${count(number('error'), 'error')}, ${count(number('warning'), 'warning')}, ${count(number('info'), 'info')}`;
}
