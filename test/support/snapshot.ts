/** A controller's snapshot and diagnostics from the few values that a test gives. */
import type { DeniedCallsReport } from '../../src/diagnostics/denied-in.ts';
import { createDiagnostics, type Diagnostics } from '../../src/diagnostics/diagnostics.ts';
import { HOST_OFF, type HostView } from '../../src/diagnostics/host-view.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { IngressView } from '../../src/features/ingress/view.ts';
import type { DeniedReport } from '../../src/inventory/denied-record.ts';
import type { Instance } from '../../src/inventory/service.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { hostOf } from '../unit/diagnostics/fixtures.ts';

export interface SnapshotInput
  extends Partial<Omit<Snapshot, 'acl' | 'catalog' | 'namespaces' | 'protectedHosts' | 'unread'>> {
  /** The id of each is made from that of its first workload. */
  readonly namespaces?: readonly Omit<NamespaceView, 'id'>[] | undefined;
  /** The texts of keys. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly services?: Readonly<Record<string, readonly Instance[]>>;
  readonly unread?: readonly string[];
  readonly protectedHosts?: readonly string[];
}

export function snapshotOf({ keys = {}, services = {}, namespaces = [], ...known }: SnapshotInput): Snapshot {
  return {
    ...{ unsupported: [], notEnabled: [], template: 'nftables', kvPath: 'egress/acl/' },
    ingressPath: 'ingress/acl/',
    ...{ denylist: false, recordsDenied: true },
    ...known,
    namespaces: namespaces.map((one) => ({ ...one, id: `${one.ids[0]}@0` })),
    acl: parseAcl(new Map(Object.entries(keys))),
    catalog: new Map(Object.entries(services)),
    unread: new Map((known.unread ?? []).map((name) => [name, undefined])),
    protectedHosts: (known.protectedHosts ?? []).map(hostOf),
  };
}

const NO_CALLS: DeniedCallsReport = { calls: [], packets: 0, unlisted: 0, isFull: false, covers: 0 };

/** Diagnostics of the snapshot that `known` gives, and of denials. */
export function diagnosticsOf(
  known: () => SnapshotInput,
  denied: (container: string | undefined) => readonly DeniedReport[] = () => [],
  host: () => HostView = () => HOST_OFF,
  calls: () => DeniedCallsReport = () => NO_CALLS,
  ingress: () => readonly IngressView[] = () => [],
): Diagnostics {
  return createDiagnostics({
    snapshot: async () => snapshotOf(known()),
    denied: async (container) => denied(container),
    ingress: async () => ingress(),
    host: async () => host(),
    hostOfCalls: async () => host(),
    deniedCalls: async () => calls(),
  });
}
