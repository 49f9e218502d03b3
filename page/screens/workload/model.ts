/**
 * What the screen of one workload shows. Pure.
 */

import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import type { IngressStatus } from '../../../src/features/ingress/status.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { TimelineEvent, WithoutRules, WorkloadEntry } from '../../../src/live/tables.ts';

export type Found =
  | { readonly kind: 'workload'; readonly workload: WorkloadEntry }
  /** It has rules about its callers alone. */
  | { readonly kind: 'called'; readonly status: IngressStatus }
  | { readonly kind: 'unsupported' | 'not enabled'; readonly one: WithoutRules };

/** By the name of its container, or of another in its namespace. */
export function findWorkload(
  tables: Pick<LiveState, 'workloads' | 'unsupported' | 'notEnabled' | 'ingress'>,
  name: string,
): Found | undefined {
  const { workloads, unsupported, notEnabled, ingress } = tables;
  const workload = namespaceOf(workloads.values(), name);
  if (workload !== undefined) return { kind: 'workload', workload };
  const outside = [...unsupported.values()].find((one) => one.name === name);
  if (outside !== undefined) return { kind: 'unsupported', one: outside };
  const other = [...notEnabled.values()].find((one) => one.name === name);
  if (other !== undefined) return { kind: 'not enabled', one: other };
  const status = namespaceOf(ingress.values(), name);
  return status && { kind: 'called', status };
}

function namespaceOf<T extends Pick<WorkloadEntry, 'target' | 'workloads'>>(
  all: Iterable<T>,
  name: string,
): T | undefined {
  const found = [...all];
  return found.find(({ target }) => target === name) ?? found.find((one) => one.workloads.includes(name));
}

/** What was asked, as the command takes it: `10.0.3.7 tcp/8443` has a target and traffic. */
export function parseQuestion(text: string): { readonly target: string; readonly traffic?: string } {
  const [target = '', traffic] = text.trim().split(/\s+/);
  return { target, ...(traffic !== undefined && { traffic }) };
}

/** Of its containers and its keys, the newest first. */
export function eventsOf(
  events: LiveState['events'],
  { workloads, target, grants }: Pick<WorkloadEntry, 'workloads' | 'target' | 'grants'>,
): readonly TimelineEvent[] {
  const own = new Set([...workloads, target]);
  const keys = new Set(grants);
  return [...events.values()]
    .filter(({ kind, subject }) => (kind === 'key' ? keys.has(subject) : own.has(subject)))
    .toSorted((one, other) => other.at - one.at);
}

export interface Callers {
  readonly status?: IngressStatus | undefined;
  /** The last caller first. */
  readonly denied: readonly DeniedCall[];
}

export function callersOf(
  { ingress, deniedCalls }: Pick<LiveState, 'ingress' | 'deniedCalls'>,
  { id, target, workloads }: Pick<WorkloadEntry, 'id' | 'target' | 'workloads'>,
): Callers {
  const own = new Set([...workloads, target]);
  return {
    status: ingress.get(id) ?? [...ingress.values()].find((one) => one.target === target),
    denied: [...deniedCalls.values()]
      .filter(({ container }) => container !== undefined && own.has(container))
      .toSorted((one, other) => other.lastSeenAt - one.lastSeenAt),
  };
}
