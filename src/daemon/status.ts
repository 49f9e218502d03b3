/**
 * The status of the controller, used by the command line, the API, metrics and logs.
 */

import type { Problem } from '../common/problem.ts';
import type { HostSummary } from '../diagnostics/host-view.ts';
import type { NetworksSummary } from '../diagnostics/networks-view.ts';
import type { NamespaceStatus } from '../features/egress/status.ts';
import type { IngressStatus } from '../features/ingress/status.ts';
import type { Age, Ages } from '../inventory/ages.ts';
import { INGRESS_KEYS } from './consul-cache.ts';
import type { Freshness } from './freshness.ts';

export type { HostSummary } from '../diagnostics/host-view.ts';
export type { NetworksSummary } from '../diagnostics/networks-view.ts';

export interface SourceStatus {
  readonly name: string;
  readonly known: boolean;
  readonly confirmedAt: number | undefined;
  readonly error: string | undefined;
  /** True if its data is older than `--max-age` allows, so that it grants nothing. */
  readonly outdated?: boolean | undefined;
}

export function sourceStatus({ name, known, confirmedAt, error }: Freshness, ages: Ages): SourceStatus {
  const age = ageOf(name, ages);
  return { name, known, confirmedAt, error: error?.message, outdated: age === 'outdated' || undefined };
}

function ageOf(name: string, ages: Ages): Age | undefined {
  if (name === 'rules') return ages.rules;
  return name === INGRESS_KEYS ? ages.ingress : ages.services.get(name.replace(/^service /, ''));
}

/** The controller itself. */
export interface About {
  readonly version: string;
  /** The host's name. */
  readonly node: string;
  readonly loader: string;
  readonly template: string;
  /** In ms since the epoch. */
  readonly startedAt: number;
}

/** Converts all times to the host's clock, by adding `ms`. */
export function shifted(status: Status, ms: number): Status {
  const later = (time: number | undefined) => (time === undefined ? undefined : time + ms);
  return {
    ...status,
    namespaces: status.namespaces.map((one) => ({
      ...{ ...one, verifiedAt: later(one.verifiedAt) },
      ...(one.byHand && { byHand: { ...one.byHand, since: one.byHand.since + ms } }),
    })),
    ...(status.ingress && {
      ingress: status.ingress.map((one) => ({ ...one, verifiedAt: later(one.verifiedAt) })),
    }),
    ...(status.host && { host: { ...status.host, verifiedAt: later(status.host.verifiedAt) } }),
    ...(status.networks && { networks: shiftedNetworks(status.networks, later) }),
    sources: status.sources.map((one) => ({ ...one, confirmedAt: later(one.confirmedAt) })),
  };
}

const shiftedNetworks = (
  networks: NetworksSummary,
  later: (time: number | undefined) => number | undefined,
): NetworksSummary => ({
  ...networks,
  readAt: later(networks.readAt),
  failing: networks.failing.map((one) => ({ ...one, retryAt: later(one.retryAt) })),
});

export interface Status {
  readonly controller?: About;
  readonly namespaces: readonly NamespaceStatus[];
  /** Namespaces with rules about who may call. */
  readonly ingress?: readonly IngressStatus[];
  readonly sources: readonly SourceStatus[];
  /** Undefined where the host has no rules of ours. */
  readonly host?: HostSummary | undefined;
  /** Undefined without networks.json. */
  readonly networks?: NetworksSummary | undefined;
  /** False if the template records no denied destinations; undefined if not known. */
  readonly recordsDenied?: boolean;
  /** Workloads that cannot have rules. */
  readonly unsupported: readonly { readonly name: string; readonly problem: Problem }[];
  /** Containers that name keys without EGRESSTRATOR_ENABLE=1. */
  readonly notEnabled?: readonly { readonly name: string; readonly problem: Problem }[];
}

/** A container on the host's network may be named twice: for its egress and for its ingress keys. */
export const unsupportedNames = (status: Pick<Status, 'unsupported'> | undefined): ReadonlySet<string> =>
  new Set(status?.unsupported.map(({ name }) => name));
