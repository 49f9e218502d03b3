/**
 * Routes in the namespaces of containers, and whether a namespace must forward, as lines that compare by text.
 */
import type { Plan } from '../../common/plan.ts';
import type { Namespaces, NetworkNamespace } from '../../inventory/namespace.ts';
import { formatPrefix } from '../../net/address.ts';
import type { DesiredNetworks, InnerRules } from './model.ts';

export interface RoutesDesired {
  readonly namespace: NetworkNamespace;
  /** `10.2.0.2 via 10.9.0.1`, `forward ipv4`; sorted. */
  readonly lines: readonly string[];
}

/** By the id of the namespace. */
export const planRoutes = ({ inner }: DesiredNetworks, namespaces: Namespaces): Plan<RoutesDesired> =>
  new Map(
    [...inner].flatMap(([id, rules]) => {
      const namespace = namespaces.get(id);
      return namespace === undefined
        ? []
        : [[id, { kind: 'apply', desired: { namespace, lines: linesOf(rules) } }] as const];
    }),
  );

export const noRoutesIn = (namespace: NetworkNamespace): RoutesDesired => ({ namespace, lines: [] });

export const linesOf = ({ forwards, routes }: InnerRules): readonly string[] =>
  [
    ...new Set(forwards.map(({ to }) => `forward ipv${to.family}`)),
    ...routes.map(({ to, via }) => `${formatPrefix(to)} via ${formatPrefix(via)}`),
  ].sort();

/** What is desired and not there, and routes of ours that are there and not desired. Nothing stops forwarding. */
export function differencesOf(desired: readonly string[], observed: readonly string[]): readonly string[] {
  const present = new Set(observed);
  const wanted = new Set(desired);
  return [
    ...desired.filter((line) => !present.has(line)),
    ...observed.filter((line) => !wanted.has(line) && !line.startsWith('forward ')),
  ];
}
