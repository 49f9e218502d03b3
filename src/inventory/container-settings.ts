/**
 * Separates the settings of a container's runner from those of its image. The Engine merges both, and an image is
 * not trusted.
 *
 * The rule: if the value of a variable is not in the image, the runner set it, and it counts alone. Otherwise all
 * values (of the variable and the label) may be the runner's, and the strictest counts. If the image is unknown,
 * every value may be the image's.
 *
 * Why this is enough: if the runner sets a variable, the Engine (20.10, 28.5: `merge` in its runconfig) takes
 * none of the image's values for that name. So one value that the image does not have proves that the whole
 * list is the runner's, of which the last counts, as it does for the container's own programs.
 */
import type { ImageSettings } from './container.ts';

/** The settings of a container. */
export interface SettingRequest {
  /** `NAME=value` lines, as the Engine tells them. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** The image's own settings; undefined means none. */
  readonly image?: ImageSettings | 'unknown';
}

/** The two names of one setting. */
export interface Setting {
  readonly variable: string;
  readonly label: string;
}

/** The possible values of one setting. */
export interface SettingReading {
  /** All possible values; empty if it is not set. */
  readonly candidates: readonly string[];
  /** True if one of them is certainly the runner's. */
  readonly isRunners: boolean;
  /** The value of the label, if the variable counts and differs. */
  readonly overruled?: string | undefined;
}

export function readSetting(
  setting: Setting,
  { environment, labels, image }: SettingRequest,
): SettingReading {
  const variables = valuesOf(setting.variable, environment);
  const label = labelOf(setting.label, labels);
  const isForeign = (value: string) => image !== 'unknown' && !variablesOf(setting, image).includes(value);
  const last = variables.at(-1);
  if (last !== undefined && variables.some(isForeign)) {
    return { candidates: [last], isRunners: true, overruled: label === last ? undefined : label };
  }
  const byImage = image === 'unknown' ? label : labelOf(setting.label, image?.labels ?? {});
  return {
    candidates: [...new Set([...variables, ...(label === undefined ? [] : [label])])],
    isRunners: label !== undefined && label !== byImage,
  };
}

const variablesOf = ({ variable }: Setting, image: ImageSettings | undefined): readonly string[] =>
  valuesOf(variable, image?.environment ?? []);

/** In the order of the lines. A name without `=` removes a variable and has no value. */
function valuesOf(variable: string, environment: readonly string[]): readonly string[] {
  const prefix = `${variable}=`;
  return environment.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
}

const labelOf = (name: string, labels: Readonly<Record<string, string>>): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined;
