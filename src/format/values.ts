/**
 * Formats ages, counts and lists.
 */

/** How long ago, `4s`, `12m`, `3h`, `5d`; `never` if undefined. */
export function ago(then: number | undefined, now: number): string {
  if (then === undefined) return 'never';
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 120) return `${seconds}s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
}

/** `1 rule`, `2 rules`, `2 addresses` */
export const count = (number: number, noun: string): string => `${number} ${nounFor(number, noun)}`;

const nounFor = (number: number, noun: string): string =>
  number === 1 ? noun : `${noun}${noun.endsWith('s') ? 'es' : 's'}`;

/** `a, b and c` */
export const list = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;

/** `9,000 packets` */
export const many = (number: number, noun: string): string =>
  `${number.toLocaleString('en-US')} ${nounFor(number, noun)}`;

/**
 * The covered period: `in the last hour`, `in the last 12 minutes`. Without a controller only the kernel's record is
 * known, which a load removes.
 */
export const inPeriod = (covers: number | undefined): string => {
  if (covers === undefined)
    return 'since the last load, and at most in the last 10 minutes (more is not known without a controller)';
  const minutes = Math.floor(covers / 60_000);
  return covers >= HOUR ? 'in the last hour' : `in the last ${count(minutes, 'minute')}`;
};

const HOUR = 3_600_000;

/** The message if no container has rules. */
export const NO_RULES = 'no running container has rules, so nothing is denied';

/** `something` → `Something.` */
export const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** A note for commands whose answers are about allowed destinations, which the denylist does not use. */
export const DENYLIST_NOTE =
  'the template denylist is in use: it denies only destinations of keys that are not granted, and foreign NTP and DNS servers';
