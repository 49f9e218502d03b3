/**
 * The ages of sources, as far as they affect grants (`--max-age`), and the sources that may answer in a moment.
 */
import { type Instance, OUTDATED } from './service.ts';

/** `awaited`: the known data is too old, and the source will answer or fail in a moment. */
export type Age = 'fresh' | 'awaited' | 'outdated';

export interface Ages {
  readonly rules: Age;
  /** Of the ingress keys; undefined: fresh. */
  readonly ingress?: Age | undefined;
  /** By name; only those that are not fresh. */
  readonly services: ReadonlyMap<string, Age>;
}

export const ALL_FRESH: Ages = { rules: 'fresh', services: new Map() };

/** Sources that have neither answered nor failed, and were asked a moment ago. */
export interface Awaited {
  readonly rules: boolean;
  /** The ingress keys. */
  readonly ingress?: boolean;
  /** By name. */
  readonly services: ReadonlySet<string>;
}

/** The services that may grant something: outdated and awaited ones do not. */
export function granting(
  catalog: ReadonlyMap<string, readonly Instance[]>,
  { services }: Ages,
): ReadonlyMap<string, readonly Instance[]> {
  if (services.size === 0) return catalog;
  const known = [...catalog].filter(([name]) => services.get(name) !== 'awaited');
  return new Map(known.map(([name, found]) => [name, services.has(name) ? OUTDATED : found]));
}
