/**
 * Who said it: a container's environment and labels hold the words of who runs it, and of who made its
 * image. The Engine mixes them and does not tell them apart, and an image is not to be trusted.
 *
 * The rule: a variable whose value stands nowhere in the image is its runner's, and counts alone. Otherwise
 * all that is said (the variable's values and the label's) may be the runner's, and the strictest counts. Of
 * an image that nobody knows, everything may be the image's.
 *
 * Why that is enough: if the runner sets a variable, the Engine (20.10, 28.5: `merge` in its runconfig) takes
 * none of the image's values for that name. So one value that the image does not have proves that the whole
 * list is the runner's, of which the last counts, as it does for the container's own programs.
 */
import type { ImageSettings } from './container.ts';

/** Where a container says what it wants. */
export interface SettingRequest {
  /** `NAME=value` lines, as the Engine tells them. */
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** What the image says by itself; without it, nothing. */
  readonly image?: ImageSettings | 'unknown';
}

/** The two names under which the same thing is said. */
export interface Setting {
  readonly variable: string;
  readonly label: string;
}

/** What one setting may have been set to. */
export interface SettingReading {
  /** Each value that may be meant; none where nothing was said. */
  readonly candidates: readonly string[];
  /** True if one of them is certainly of who runs the container. */
  readonly isRunners: boolean;
  /** The value of the label, where the variable counts and says something else. */
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

/** In the order of the lines. A name without `=` removes a variable, and says nothing. */
function valuesOf(variable: string, environment: readonly string[]): readonly string[] {
  const prefix = `${variable}=`;
  return environment.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
}

const labelOf = (name: string, labels: Readonly<Record<string, string>>): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined;
