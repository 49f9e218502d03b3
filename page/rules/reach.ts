/**
 * What the keys of a workload allow: each line, and the instances behind a service.
 */
import type { Problem } from '../../src/common/problem.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import { formatPrefix } from '../../src/net/address.ts';
import { matchesFor, type RuleMatch } from '../../src/policy/compile.ts';
import type { RuleLine } from '../../src/policy/rule.ts';

export interface KeyReach {
  readonly key: string;
  /** False: Consul does not have it. */
  readonly exists: boolean;
  readonly lines: readonly LineReach[];
}

export interface LineReach {
  readonly line: number;
  readonly text: string;
  readonly kind: 'address' | 'service' | 'name' | 'invalid';
  readonly instances: readonly InstanceReach[];
  readonly problems: readonly Problem[];
}

export interface InstanceReach {
  readonly address: string;
  readonly port: number;
  readonly node: string;
}

export const reachOf = (grants: readonly string[], snapshot: Snapshot): readonly KeyReach[] =>
  grants.map((key) => keyReach(key, snapshot));

function keyReach(key: string, { acl, catalog, protectedHosts }: Snapshot): KeyReach {
  const found = acl.get(key);
  if (found === undefined) return { key, exists: false, lines: [] };
  const { reasons, problems } = matchesFor([found], catalog, protectedHosts);
  const byLine = Map.groupBy(reasons, ({ line }) => line.line);
  const wrong = Map.groupBy([...found.problems, ...problems], ({ line }) => line ?? 0);
  const good = found.rules.map((one) =>
    lineReach(one, byLine.get(one.line) ?? [], wrong.get(one.line) ?? []),
  );
  const known = new Set(good.map(({ line }) => line));
  const invalid = [...wrong]
    .filter(([line]) => line > 0 && !known.has(line))
    .map(([line, inside]) => invalidLine(line, inside));
  return { key, exists: true, lines: [...good, ...invalid].toSorted((one, other) => one.line - other.line) };
}

const lineReach = (
  { line, text, rule }: RuleLine,
  matches: readonly RuleMatch[],
  problems: readonly Problem[],
): LineReach => ({
  ...{ line, text, kind: rule.kind, problems },
  instances: matches.flatMap(({ instance, entry }) =>
    instance === undefined
      ? []
      : { address: formatPrefix(entry.prefix), port: instance.port, node: instance.node },
  ),
});

const invalidLine = (line: number, problems: readonly Problem[]): LineReach => ({
  ...{ line, text: problems[0]?.text ?? '', kind: 'invalid', instances: [], problems },
});
