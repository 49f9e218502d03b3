/**
 * The result of `doctor`, one line for each fact.
 */

import type { Colour, Style } from '../../format/style.ts';
import type { Check, Health } from '../doctor/checks.ts';

const COLOURS: Readonly<Record<Health, Colour>> = { ok: 'green', warning: 'yellow', error: 'red' };

export function formatChecks(checks: readonly Check[], style: Style): string {
  const width = Math.max(...checks.map(({ topic }) => topic.length));
  return checks
    .flatMap(({ topic, health, message, remedy }) => [
      `${style(COLOURS[health], health.padEnd(7))}  ${topic.padEnd(width)}  ${message}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(11 + width)}→ ${remedy}`]),
    ])
    .join('\n');
}
