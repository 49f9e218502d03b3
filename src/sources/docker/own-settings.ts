/**
 * Selects our settings from the environment and labels of a container or an image, and limits their length: an
 * image's label may have megabytes, and every list of the Engine repeats it.
 */

import type { ImageSettings } from '../../inventory/container.ts';
import { MOST_LIST_BYTES, SETTINGS } from '../../inventory/workload.ts';

/** Lines and labels of ours that are kept; there are four names of each. */
const MOST_SETTINGS = 32;

interface Config {
  readonly environment?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** A container's: of too many lines the last, as of equal names the last counts. */
export function ourSettings({ environment = [], labels }: Config): ImageSettings {
  return {
    environment: linesOf(environment).slice(-MOST_SETTINGS).map(cut),
    labels: Object.fromEntries(labelsOf(labels).map(([name, value]) => [name, cut(value)])),
  };
}

/** An image's: what is left out would count as somebody else's word, so of too many nothing is known. */
export function imageSettings(config: Config): ImageSettings | 'unknown' {
  return linesOf(config.environment ?? []).length > MOST_SETTINGS ? 'unknown' : ourSettings(config);
}

const linesOf = (environment: readonly string[]): readonly string[] =>
  environment.filter((line) => SETTINGS.some(({ variable }) => line.startsWith(`${variable}=`)));

const labelsOf = (labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  SETTINGS.flatMap(({ label }) =>
    Object.hasOwn(labels, label) ? [[label, labels[label] ?? ''] as const] : [],
  );

/** Longer than any name with a list that is granted, so that a list that is too long stays one. */
const LONGEST = MOST_LIST_BYTES + 64;

/** A copy, as a part of a string keeps the whole of it in memory. */
const cut = (text: string): string =>
  text.length > LONGEST ? Buffer.from(text.slice(0, LONGEST)).toString() : text;
