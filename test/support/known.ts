/** What a controller knows, in the few words that a test needs. */
import { createDiagnostics, type Diagnostics } from '../../src/diagnostics/diagnostics.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { DeniedReport } from '../../src/inventory/denied-record.ts';
import type { Instance } from '../../src/inventory/service.ts';
import { parseAcl } from '../../src/policy/acl.ts';
import { hostOf } from '../unit/diagnostics/fixtures.ts';

export interface Known
  extends Partial<Omit<Snapshot, 'acl' | 'catalog' | 'namespaces' | 'protectedHosts' | 'unread'>> {
  /** Their id is made of that of their first workload. */
  readonly namespaces?: readonly Omit<NamespaceView, 'id'>[] | undefined;
  /** The texts of keys. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly services?: Readonly<Record<string, readonly Instance[]>>;
  readonly unread?: readonly string[];
  readonly protectedHosts?: readonly string[];
}

export function snapshotOf({ keys = {}, services = {}, namespaces = [], ...known }: Known): Snapshot {
  return {
    ...{ unsupported: [], notEnabled: [], template: 'nftables', kvPath: 'egress/acl/' },
    ...{ denylist: false, recordsDenied: true },
    ...known,
    namespaces: namespaces.map((one) => ({ ...one, id: `${one.ids[0]}@0` })),
    acl: parseAcl(new Map(Object.entries(keys))),
    catalog: new Map(Object.entries(services)),
    unread: new Map((known.unread ?? []).map((name) => [name, undefined])),
    protectedHosts: (known.protectedHosts ?? []).map(hostOf),
  };
}

/** Answers of what `known` says, and of denials. */
export function diagnosticsOf(
  known: () => Known,
  denied: (container: string | undefined) => readonly DeniedReport[] = () => [],
): Diagnostics {
  return createDiagnostics({
    snapshot: async () => snapshotOf(known()),
    denied: async (container) => denied(container),
  });
}
