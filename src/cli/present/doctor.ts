/**
 * The state of a host, one line for each thing that matters, for people.
 */
import type { Check, Health } from '../doctor/judge.ts';
import type { Colour, Paint } from './paint.ts';

const COLOURS: Readonly<Record<Health, Colour>> = { ok: 'green', warning: 'yellow', error: 'red' };

export function presentChecks(checks: readonly Check[], paint: Paint): string {
  const width = Math.max(...checks.map(({ topic }) => topic.length));
  return checks
    .flatMap(({ topic, health, says, remedy }) => [
      `${paint(COLOURS[health], health.padEnd(7))}  ${topic.padEnd(width)}  ${says}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(11 + width)}→ ${remedy}`]),
    ])
    .join('\n');
}
