/**
 * Ages, which grow as one looks; the exact time is in the title.
 */
import { useComputed } from '@preact/signals';
import { ago } from '../../src/format/values.ts';
import { now } from '../live/clock.ts';

/** `at`: in ms since the epoch; undefined: never. */
export function Time({ at }: { readonly at: number | undefined }) {
  return at === undefined ? <span class="muted">never</span> : <Age key={at} at={at} />;
}

function Age({ at }: { readonly at: number }) {
  const text = useComputed(() => ago(at, now.value));
  const date = new Date(at);
  return (
    <time class="age" dateTime={date.toISOString()} title={exact(date)}>
      {text}
    </time>
  );
}

const FORMAT = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });

/** `2026-11-29 03:24:33 (2026-11-29T03:24:33.000Z)` */
const exact = (date: Date): string => `${FORMAT.format(date)} (${date.toISOString()})`;

/** `03:24:33`, in the browser's zone. */
export const clockTime = (at: number): string => FORMAT.format(new Date(at)).slice(11);
