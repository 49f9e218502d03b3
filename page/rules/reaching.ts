/**
 * "Who reaches it?" for the workloads of all hosts: of this host by their rules, of others by their keys. Pure.
 *
 * What another host has loaded is not known here. Its keys are those that this host reads, and each of them is explained
 * as if a protected workload of this host held it.
 */

import { messageOf } from '../../src/common/errors.ts';
import { type ExplainAnswer, explainAnswer } from '../../src/diagnostics/explain-answer.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { CatalogIndex } from '../../src/diagnostics/suggest.ts';
import { parseTarget } from '../../src/diagnostics/target.ts';
import { isIsolated } from '../../src/format/explain.ts';
import { serviceName } from '../../src/inventory/service.ts';

/** A line that allows it. */
export interface ReachLine {
  readonly key: string;
  readonly line: number;
  readonly rule: string;
}

export type Reached =
  | { readonly kind: 'reaches'; readonly lines: readonly ReachLine[] }
  | { readonly kind: 'no' }
  /** The question cannot be answered, for any workload: why. */
  | { readonly kind: 'unknown'; readonly reason: string };

export interface ReachQuestion {
  readonly target: string;
  readonly traffic?: string | undefined;
}

/** Answers for one question, each workload and each set of keys once. */
export interface Reach {
  /** A workload of this host, by a name or an id. */
  readonly here: (container: string) => Reached;
  /** Whoever holds these keys. */
  readonly byKeys: (keys: readonly string[]) => Reached;
}

export function reachOf(
  question: ReachQuestion,
  snapshot: Snapshot,
  indexOf: (snapshot: Snapshot) => CatalogIndex,
): Reach {
  const known = new Map<string, Reached>();
  const here = new Map<string, Reached>();
  const index = () => indexOf(snapshot);
  const namespaces = new Map(
    (snapshot.namespaces ?? []).flatMap((one) => one.workloads.map((name) => [name, one] as const)),
  );
  return {
    here: (container) => {
      const one = namespaces.get(container);
      const found =
        here.get(container) ??
        answered(container, question, one === undefined ? snapshot : only(one, snapshot), index);
      here.set(container, found);
      return found;
    },
    byKeys: (keys) => {
      const id = JSON.stringify(keys.toSorted());
      const found = known.get(id) ?? answered(HOLDER, question, holding(keys, snapshot), index);
      known.set(id, found);
      return found;
    },
  };
}

const HOLDER = 'holder';

const holding = (grants: readonly string[], snapshot: Snapshot): Snapshot => only(holderOf(grants), snapshot);

/** Nothing has to be searched among a thousand of them. */
const only = (namespace: NamespaceView, snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  ...{ namespaces: [namespace], unsupported: [], notEnabled: [] },
});

const holderOf = (grants: readonly string[]): NamespaceView => ({
  ...{ id: HOLDER, workloads: [HOLDER], ids: [HOLDER], target: HOLDER, grants },
  ...{ mode: 'enforce', dns: 'names', state: 'protected' },
});

function answered(
  container: string,
  { target, traffic }: ReachQuestion,
  snapshot: Snapshot,
  index: () => CatalogIndex,
): Reached {
  try {
    const unread = unreadService({ target, traffic }, snapshot);
    if (unread !== undefined) return { kind: 'unknown', reason: unread };
    const { explained } = explainAnswer({ container, target, traffic }, snapshot, index);
    return reachedBy(explained);
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) };
  }
}

/** The controller reads the services that keys name, and no others. */
function unreadService(
  { target, traffic }: ReachQuestion,
  { catalog, unread }: Snapshot,
): string | undefined {
  const parsed = parseTarget(target, traffic);
  const name = parsed.kind === 'service' ? serviceName(parsed.rule) : undefined;
  if (name === undefined || catalog.has(name)) return undefined;
  return unread.has(name)
    ? `the instances of ${name} could not be read: ${unread.get(name) ?? 'there are too many services'}`
    : `no key names the service ${name}, so this page does not know its instances; search for their addresses`;
}

function reachedBy(explained: ExplainAnswer['explained']): Reached {
  if ('host' in explained) return fromLines(explained.reasons, explained.reasons.length > 0);
  if ('name' in explained)
    return fromLines(explained.lines, explained.lines.length > 0 && explained.noNames === undefined);
  const allowing = explained.explanations.filter((one) => one.allowed && !isIsolated(explained, one));
  const lines = allowing.flatMap((one) => {
    if (one.because === 'rules') return one.reasons;
    return one.because === 'names' ? one.lines : [];
  });
  return fromLines(lines, allowing.length > 0);
}

function fromLines(lines: readonly ReachLine[], reaches: boolean): Reached {
  if (!reaches) return { kind: 'no' };
  const unique = new Map(lines.map(({ key, line, rule }) => [`${line} ${key}`, { key, line, rule }]));
  return { kind: 'reaches', lines: [...unique.values()] };
}
