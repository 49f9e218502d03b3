/**
 * Merges the denied calls of the ports guard with those of ingress rules.
 */
import type { DeniedCall, DeniedCallsReport } from '../diagnostics/denied-in.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import { formatPrefix, parseAddress } from '../net/address.ts';

const NO_CALLS: DeniedCallsReport = { calls: [], packets: 0, unlisted: 0, isFull: false };

/** `namespaces`: those of the reports, for the addresses that were called. */
export function mergedCalls(
  byGuard: DeniedCallsReport = NO_CALLS,
  byIngress: readonly DeniedReport[],
  namespaces: readonly IngressNamespace[],
): DeniedCallsReport {
  const summaries = byIngress.flatMap(({ summary }) => summary ?? []);
  const sum = (count: 'packets' | 'unlisted') =>
    summaries.reduce((total, summary) => total + summary[count], byGuard[count]);
  const errors = byIngress.flatMap(({ container, error }) =>
    error === undefined ? [] : `${container}: ${error}`,
  );
  const periods = [byGuard, ...byIngress].flatMap(({ covers }) => covers ?? []);
  const error = [...(byGuard.error === undefined ? [] : [byGuard.error]), ...errors].join('; ');
  return {
    calls: [...byGuard.calls, ...byIngress.flatMap((report) => callsOf(report, namespaces))],
    ...{ packets: sum('packets'), unlisted: sum('unlisted') },
    isFull: byGuard.isFull || summaries.some((summary) => summary.isFull),
    ...(periods.length > 0 && { covers: Math.max(...periods) }),
    ...(error !== '' && { error }),
  };
}

function callsOf(
  { container, mode, destinations: callers }: DeniedReport,
  namespaces: readonly IngressNamespace[],
): readonly DeniedCall[] {
  const target = namespaces.find((one) => one.target.name === container)?.target;
  return callers.map(({ address: source, protocol, port, packets, firstSeenAt, lastSeenAt }) => ({
    ...{ gate: 'ingress', source, address: calledAddress(source, target), container, protocol, port },
    ...{ packets, firstSeenAt, lastSeenAt, ...(mode === 'audit' && { passed: true }) },
  }));
}

/** The address of the caller's family; a container with several may have been called at another one. */
function calledAddress(source: string, target: IngressNamespace['target'] | undefined): string {
  const family = parseAddress(source)?.family;
  const addresses = (target?.networks ?? []).map(({ ipv4, ipv6 }) => (family === 6 ? ipv6 : ipv4));
  const found = addresses.find((one) => one !== undefined);
  return found === undefined ? '-' : formatPrefix(found);
}
