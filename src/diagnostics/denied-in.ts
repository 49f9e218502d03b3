/**
 * Calls to containers that the ports guard denied, as plain data.
 */
import { UserError } from '../common/errors.ts';
import { addressesOf } from '../features/host/ports.ts';
import type { IngressView } from '../features/ingress/view.ts';
import { pickContainer } from '../inventory/pick-container.ts';
import { formatPrefix } from '../net/address.ts';
import type { HostView } from './host-view.ts';
import { ingressOf } from './ingress-gate.ts';
import { someOf } from './lint.ts';

/** One caller and one port. */
export interface DeniedCall {
  /** `ingress`: the container's ingress rules denied it. Absent: the ports guard. */
  readonly gate?: 'ingress' | undefined;
  readonly source: string;
  readonly address: string;
  /** The container that has the address now. */
  readonly container?: string | undefined;
  readonly protocol: string;
  readonly port?: number | undefined;
  readonly packets: number;
  /** It was recorded, and passed. */
  readonly passed?: boolean | undefined;
  /** In ms since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export interface DeniedCallsReport {
  readonly calls: readonly DeniedCall[];
  /** All denied packets since the controller watches. */
  readonly packets: number;
  /** Packets that no call accounts for, because the record was full. */
  readonly unlisted: number;
  readonly isFull: boolean;
  /** The covered period in milliseconds; undefined if not known. */
  readonly covers?: number | undefined;
  /** Why the kernel could not be read: then these are known from before. */
  readonly error?: string | undefined;
}

export interface DeniedInAnswer extends DeniedCallsReport {
  /** The guard only records: these calls passed. */
  readonly observed: boolean;
}

/**
 * `container`: only calls to this one. Throws a `UserError` where no port is guarded and no container names ingress keys,
 * or there is no such container.
 */
export function deniedInAnswer(
  container: string | undefined,
  view: HostView,
  report: DeniedCallsReport,
  ingress: readonly IngressView[] = [],
): DeniedInAnswer {
  const isMeant = container === undefined ? () => true : callsTo(container, view, ingress);
  if (view.guard === undefined && ingress.length === 0) throw new UserError(noGate(view));
  const calls = report.calls
    .filter(isMeant)
    .toSorted((one, other) => other.packets - one.packets || (callText(one) < callText(other) ? -1 : 1));
  return { ...report, calls, observed: view.guard?.mode === 'observe' };
}

const noGate = ({ unknown }: HostView): string =>
  unknown === undefined
    ? 'no port is guarded and no container names ingress keys, so no call is denied; start the controller with --ports, or containers with EGRESSTRATOR_INGRESS'
    : `no container names ingress keys (EGRESSTRATOR_INGRESS), and ${unknown}`;

/** Containers of one namespace are called together. */
function callsTo(
  word: string,
  { containers, guard }: HostView,
  ingress: readonly IngressView[],
): (call: DeniedCall) => boolean {
  const container = pickContainer(new Map(containers.map((one) => [one.id, one])), word);
  const target = ingressOf(container.id, ingress)?.target;
  if (target === undefined && guard === undefined && ingress.length > 0)
    throw new UserError(
      `${container.name} names no ingress keys, so no call to it is denied; those that do: ${someOf(ingress.map((one) => one.target))}`,
    );
  const addresses = new Set(addressesOf(container).map(formatPrefix));
  return (call) => (call.gate === 'ingress' ? call.container === target : addresses.has(call.address));
}

const callText = ({ source, address, protocol, port }: DeniedCall): string =>
  `${source} ${address} ${protocol} ${port ?? ''}`;
