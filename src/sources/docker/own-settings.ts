/**
 * Selects our settings from the environment and labels of a container or an image, and limits their length: an
 * image's label may have megabytes, and every list of the Engine repeats it.
 */

import type { ImageSettings } from '../../inventory/container.ts';
import { MOST_LIST_BYTES, SETTINGS } from '../../inventory/workload.ts';

/** The most of our lines and labels that are kept; there are four settings. */
const MOST_SETTINGS = 32;

interface Config {
  readonly environment?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * For a container. If there are too many lines, the last ones are kept, because the last of equal names counts.
 */
export function ourSettings({ environment = [], labels }: Config): ImageSettings {
  return {
    environment: linesOf(environment).slice(-MOST_SETTINGS).map(cut),
    labels: Object.fromEntries(labelsOf(labels).map(([name, value]) => [name, cut(value)])),
  };
}

/** For an image. A dropped line would count as the runner's, so with too many lines the image is unknown. */
export function imageSettings(config: Config): ImageSettings | 'unknown' {
  return linesOf(config.environment ?? []).length > MOST_SETTINGS ? 'unknown' : ourSettings(config);
}

const linesOf = (environment: readonly string[]): readonly string[] =>
  environment.filter((line) => SETTINGS.some(({ variable }) => line.startsWith(`${variable}=`)));

const labelsOf = (labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  SETTINGS.flatMap(({ label }) =>
    Object.hasOwn(labels, label) ? [[label, labels[label] ?? ''] as const] : [],
  );

/** Longer than any list that is granted, so a list that is too long stays too long. */
const LONGEST = MOST_LIST_BYTES + 64;

/** A copy, because a substring keeps the whole string in memory. */
const cut = (text: string): string =>
  text.length > LONGEST ? Buffer.from(text.slice(0, LONGEST)).toString() : text;
