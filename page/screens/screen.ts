/**
 * What a screen is.
 */
import type { ComponentType } from 'preact';
import type { IconName } from '../ui/icon-paths.ts';

/** The values of `:name` in the path. */
export type Params = Readonly<Record<string, string>>;

export type ScreenComponent = ComponentType<{ readonly params: Params }>;

export interface Screen {
  /** A pattern, `/keys/:key`. */
  readonly path: string;
  readonly title: (params: Params) => string;
  /** In the navigation; undefined: other screens lead there. */
  readonly nav?: {
    readonly group: 'now' | 'rules' | 'host';
    readonly title: string;
    readonly icon: IconName;
  };
  /** The path of the navigation's entry that it belongs to, if it has none. */
  readonly under?: string;
  readonly load: () => Promise<{ readonly default: ScreenComponent }>;
}
