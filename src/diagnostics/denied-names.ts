/**
 * The names that containers asked for in vain: as rows of `denied`, and the rules that would allow them.
 */
import { parseName } from '../dns/name.ts';
import type { DeniedName } from '../features/names/name-report.ts';
import type { Acl } from '../policy/acl.ts';
import { nameLines } from '../policy/compile-names.ts';
import { formatNameRule, parseNameRule } from '../policy/name-rule.ts';
import { indexNameLines } from './name-lines.ts';
import type { NamespaceView, Snapshot } from './snapshot.ts';

export interface DeniedNameRow extends DeniedName {
  readonly container: string;
  /** Keys that are not granted and have a rule about it. */
  readonly keys: readonly string[];
}

export interface NameSuggestion {
  readonly rule: string;
  /** How often the name was asked. */
  readonly asked: number;
}

/** Finds the lines of keys about a name. */
export const nameLinesOf = (acl: Acl | undefined): ReturnType<typeof indexNameLines> =>
  indexNameLines(nameLines(acl?.values() ?? []));

/** Of the chosen containers, in their order; the latest first. */
export const deniedNameRows = (
  snapshot: Pick<Snapshot, 'acl' | 'namespaces'> | undefined,
  isChosen: (target: string) => boolean,
  linesAbout = nameLinesOf(snapshot?.acl),
): readonly DeniedNameRow[] => {
  const keysOf = (text: string, grants: readonly string[]): readonly string[] => {
    const parsed = parseName(text);
    const about = 'name' in parsed ? linesAbout(parsed.name) : [];
    return [...new Set(about.map(({ key }) => key))].filter((key) => !grants.includes(key));
  };
  return (snapshot?.namespaces ?? [])
    .filter(({ target }) => isChosen(target))
    .flatMap(({ target, grants, names }) =>
      (names?.denied ?? []).map((one) => ({ container: target, ...one, keys: keysOf(one.name, grants) })),
    );
};

/**
 * The rules for names that a namespace asked for and no rule grants, without those that a key has already. A question
 * has no port, so the most common one is assumed.
 */
export const nameSuggestions = (
  { names }: Pick<NamespaceView, 'names'>,
  isHeld: (rule: string) => boolean,
): readonly NameSuggestion[] => {
  const asked = new Map<string, number>();
  for (const one of names?.denied ?? []) {
    const rule = ruleFor(one);
    if (rule !== undefined && !isHeld(rule)) asked.set(rule, (asked.get(rule) ?? 0) + one.count);
  }
  return [...asked].map(([rule, count]) => ({ rule, asked: count }));
};

const ASSUMED = 'tcp/443';

/** Undefined where no rule by name helps, or can express the name. */
const ruleFor = ({ name, cause, reason = '' }: DeniedName): string | undefined => {
  if (cause !== 'name' && cause !== 'address') return undefined;
  const [, address] = /^([\d.]+|[\da-f:.]+): /.exec(reason) ?? [];
  if (cause === 'address' && address === undefined) return undefined;
  const bracketed = address?.includes(':') ? `[${address}]` : address;
  const parsed = parseNameRule(`${name}${cause === 'address' ? `@${bracketed}` : ''}:${ASSUMED}`);
  return parsed !== undefined && 'rule' in parsed ? formatNameRule(parsed.rule) : undefined;
};
