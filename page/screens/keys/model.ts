/**
 * What the screens of keys show: all keys of one direction with what is to say of each, and one key's text line by line.
 * Pure.
 */
import type { Direction } from '../../../src/common/direction.ts';
import type { DeniedRow } from '../../../src/diagnostics/denied-answer.ts';
import type { Finding, Severity } from '../../../src/diagnostics/finding.ts';
import { type KeysView, type KeyUse, keyUses } from '../../../src/diagnostics/keys.ts';
import { lint } from '../../../src/diagnostics/lint.ts';
import type { LiveState } from '../../../src/live/state.ts';
import { type Acl, parseAcl } from '../../../src/policy/acl.ts';
import type { Catalog } from '../../../src/policy/compile.ts';
import { type AllowedDestination, linesOf } from '../../rules/allowed.ts';
import { linesOf as textLines } from '../../rules/line-diff.ts';
import { severities } from '../../ui/gutter.ts';

export interface KeyRow extends Pick<KeyUse, 'key' | 'exists' | 'rules' | 'destinations'> {
  readonly heldBy: readonly string[];
  /** Rules by name: what they lead to is not known before they are asked for. */
  readonly names: number;
  /** Findings of lint, by severity. */
  readonly findings: Readonly<Record<Severity, number>>;
  /** Denied destinations that it allows, of containers that do not have it. */
  readonly denied: number;
}

/** What is wrong first, and then by name. */
export function keyRows(
  view: KeysView,
  failures: ReadonlyMap<string, string>,
  denied: ReadonlyMap<string, number>,
  direction: Direction = 'egress',
): readonly KeyRow[] {
  const counts = findingCounts(lint({ ...view, failures, direction }));
  return keyUses(view, direction)
    .map(({ key, exists, rules, destinations, names = 0, heldBy = [] }) => ({
      ...{ key, exists, rules, destinations, names, heldBy },
      ...{ findings: counts.get(key) ?? NONE, denied: denied.get(key) ?? 0 },
    }))
    .toSorted((one, other) => urgency(one) - urgency(other) || ORDER.compare(one.key, other.key));
}

const ORDER = new Intl.Collator('en', { numeric: true });

const NONE: KeyRow['findings'] = { error: 0, warning: 0, info: 0 };

export const urgency = ({ findings }: Pick<KeyRow, 'findings'>): number => {
  if (findings.error > 0) return 0;
  return findings.warning > 0 ? 1 : 2;
};

function findingCounts(findings: readonly Finding[]): ReadonlyMap<string, KeyRow['findings']> {
  const counts = new Map<string, KeyRow['findings']>();
  for (const { key, severity } of findings) {
    if (key === undefined) continue;
    const known = counts.get(key) ?? NONE;
    counts.set(key, { ...known, [severity]: known[severity] + 1 });
  }
  return counts;
}

/** How many denied destinations each key allows, for those that do not have it. */
export function deniedByKey(denied: LiveState['denied']): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { keys } of denied.values()) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

export const deniedFor = (key: string, denied: LiveState['denied']): readonly DeniedRow[] =>
  [...denied.values()]
    .filter(({ keys }) => keys.includes(key))
    .toSorted((one, other) => other.packets - one.packets);

/** Ingress keys with the containers that name them. `previous`: unchanged keys are not parsed again. */
export function ingressView(
  { ingressKeys, ingress }: Pick<LiveState, 'ingressKeys' | 'ingress'>,
  catalog: Catalog,
  previous?: Acl,
): KeysView {
  const texts = new Map([...ingressKeys].map(([key, { text }]) => [key, text]));
  return {
    ...{ acl: parseAcl(texts, previous, 'ingress'), catalog, protectedHosts: [] },
    workloads: [...ingress.values()].flatMap(({ workloads, keys }) =>
      workloads.map((name) => ({ name, grants: keys })),
    ),
  };
}

/** Services that could not be read, with the reasons that are known. */
export const failuresOf = (unread: ReadonlyMap<string, string | undefined>): ReadonlyMap<string, string> =>
  new Map([...unread].flatMap(([name, why]) => (why === undefined ? [] : [[name, why] as const])));

export interface TextLine {
  readonly line: number;
  readonly text: string;
  readonly isRemark: boolean;
  /** The worst of its findings. */
  readonly severity?: Severity | undefined;
  readonly findings: readonly Finding[];
  /** Of services: their instances. */
  readonly destinations: readonly AllowedDestination[];
}

/** All lines as written, with what is to say of each. */
export function textOf(
  key: string,
  view: Pick<KeysView, 'acl' | 'catalog' | 'protectedHosts'>,
  findings: readonly Finding[],
): readonly TextLine[] {
  const byLine = Map.groupBy(findings, ({ line }) => line ?? 0);
  const worst = severities(findings);
  const compiled = new Map(linesOf(key, view).map((one) => [one.line, one]));
  return textLines(view.acl.get(key)?.text ?? '').map((text, at) => {
    const found = compiled.get(at + 1);
    return {
      ...{ line: at + 1, text, isRemark: found === undefined, severity: worst.get(at + 1) },
      findings: byLine.get(at + 1) ?? [],
      destinations: found?.kind === 'service' ? found.destinations : [],
    };
  });
}
