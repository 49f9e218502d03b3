/**
 * What is known of networks.json, and the same as plain data: for status, explain, lint, health and metrics.
 */
import type { Problem } from '../common/problem.ts';
import type { EntryState, EntryStates } from '../features/networks/entry-states.ts';
import type { ContainerForward, Permit } from '../features/networks/model.ts';
import type { PermitRule } from '../inventory/connection-rules.ts';
import type { Transport } from '../inventory/network.ts';
import { contains, formatPrefix, type Prefix } from '../net/address.ts';

export interface NetworksView {
  readonly path: string;
  /** When the file was last read, in ms; undefined: not yet. */
  readonly readAt: number | undefined;
  /** Why the present file is not used; the last good one counts. */
  readonly error: string | undefined;
  readonly entries: EntryStates;
  readonly failing: readonly FailingStep[];
  /** Of the file, and of what follows from it. */
  readonly problems: readonly Problem[];
  /** All of them: several may be about one call. */
  readonly permits: readonly Permit[];
  readonly inner: readonly InnerView[];
}

/** A step that failed, and is tried again. */
export interface FailingStep {
  readonly name: string;
  readonly reason: string;
  /** In ms. */
  readonly retryAt?: number | undefined;
}

/** Ports of a container that lead elsewhere. */
export interface InnerView {
  readonly container: string;
  readonly addresses: readonly Prefix[];
  readonly forwards: readonly ContainerForward[];
}

/** For status and metrics. */
export interface NetworksSummary {
  readonly path: string;
  readonly readAt?: number | undefined;
  readonly error?: string | undefined;
  readonly networks: readonly EntryState[];
  readonly attachments: readonly EntryState[];
  readonly policies: readonly EntryState[];
  readonly routes: readonly EntryState[];
  readonly failing: readonly FailingStep[];
}

export const networksSummary = ({
  path,
  readAt,
  error,
  entries,
  failing,
}: NetworksView): NetworksSummary => ({
  ...{ path, readAt, error, failing },
  ...entries,
});

interface Call {
  readonly source: Prefix;
  readonly to: Prefix;
  /** icmp too, which no policy is about. */
  readonly protocol: string;
  readonly port: number;
}

/** Those that let a call in. */
export const matchingPermits = <T extends PermitRule>(call: Call, permits: readonly T[]): readonly T[] =>
  permits.filter(
    ({ from, to, protocol, range }) =>
      protocol === call.protocol &&
      range.first <= call.port &&
      call.port <= range.last &&
      contains(from, call.source) &&
      contains(to, call.to),
  );

/** Where a port of a container leads. */
export interface LedAnswer {
  /** The container whose port it is. */
  readonly container: string;
  readonly to: string;
  readonly protocol: Transport;
  readonly port: number;
  /** `policies[2] of networks.json`. */
  readonly origin: string;
  /** The only device of the container on which it does. */
  readonly device?: string | undefined;
}

/** Undefined: what comes there stays there. */
export function ledFrom(
  at: Prefix,
  protocol: string,
  port: number,
  inner: readonly InnerView[] = [],
): LedAnswer | undefined {
  for (const { container, addresses, forwards } of inner) {
    if (!addresses.some((own) => own.family === at.family && contains(own, at))) continue;
    const found = forwards.find(
      (one) => one.protocol === protocol && one.port === port && one.to.family === at.family,
    );
    if (found === undefined) return undefined;
    return {
      ...{ container, to: formatPrefix(found.to), protocol: found.protocol, port: found.toPort },
      origin: `${found.origin.path} of networks.json`,
      ...(found.device !== undefined && { device: found.device }),
    };
  }
  return undefined;
}
