/**
 * Makes the snapshot of diagnostics from a live state, so that a browser answers by the code that enforces.
 */
import type { Snapshot } from '../diagnostics/snapshot.ts';
import type { Instance } from '../inventory/service.ts';
import { parsePrefix } from '../net/address.ts';
import { parseAcl } from '../policy/acl.ts';
import type { LiveState } from './state.ts';
import type { ControllerEntry, WorkloadEntry } from './tables.ts';

/**
 * Undefined until the controller's own entry is there. `previous`: an earlier result, whose unchanged keys are not
 * parsed again. Ingress and host are left out: their answers come from the controller.
 */
export function snapshotOf(state: LiveState, previous?: Snapshot): Snapshot | undefined {
  const controller = state.controller.get('controller');
  if (controller === undefined) return undefined;
  const texts = new Map([...state.keys].map(([key, { text }]) => [key, text]));
  return {
    acl: parseAcl(texts, previous?.acl),
    ...servicesIn(state),
    ...factsIn(controller),
    namespaces: [...state.workloads.values()].map((one) => viewOf(one, state)),
    unsupported: [...state.unsupported.values()].map(({ name, id = '', problem }) => ({
      ...{ name, id, reason: problem.reason },
    })),
    notEnabled: [...state.notEnabled.values()].map(({ name }) => name),
  };
}

function servicesIn({ services }: LiveState): Pick<Snapshot, 'catalog' | 'unread'> {
  const catalog = new Map<string, readonly Instance[]>();
  const unread = new Map<string, string | undefined>();
  for (const [name, one] of services) {
    if (one.unread === undefined) catalog.set(name, one.instances);
    else unread.set(name, one.unread);
  }
  return { catalog, unread };
}

const factsIn = ({ protectedHosts, template, kvPath, ingressPath, ...one }: ControllerEntry) => ({
  ...{ template, kvPath, ingressPath, denylist: one.denylist, recordsDenied: one.recordsDenied },
  protectedHosts: protectedHosts.flatMap((text) => {
    const parsed = parsePrefix(text);
    return 'prefix' in parsed ? [parsed.prefix] : [];
  }),
});

const viewOf = (one: WorkloadEntry, { names }: LiveState) => ({
  ...{ id: one.id, workloads: one.workloads, ids: one.ids, target: one.target, grants: one.grants },
  ...{ mode: one.mode, dns: one.dns, state: one.state, resolvers: one.resolvers },
  ...{ names: names.get(one.id), hasForeignRules: one.hasForeignRules },
});
