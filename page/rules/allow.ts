/**
 * What would allow a denied destination or name: the line that `egresstrator suggest` prints, the key that has it, and
 * the commands that bring it about.
 */

import { shellWord } from '../../src/common/text.ts';
import type { DeniedRow } from '../../src/diagnostics/denied-answer.ts';
import { type DeniedNameRow, nameSuggestions } from '../../src/diagnostics/denied-names.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import type { CatalogIndex } from '../../src/diagnostics/suggest.ts';
import { type KeySuggestion, suggestAnswer } from '../../src/diagnostics/suggest-answer.ts';
import { NO_REPORT } from '../../src/features/names/name-report.ts';
import { canBeTyped, formatKey, plainSpace } from '../../src/format/suggest.ts';
import { putTextCommand } from './commands.ts';

/** What would allow one destination or name. */
export interface Remedy {
  /** Undefined: no line would, as none can express it, or a denylist closes it. */
  readonly line: string | undefined;
  readonly isExpressible: boolean;
  /** The line names a protected host. */
  readonly isRisky: boolean;
  /** The key of the container that the line would go to; undefined: it has none. */
  readonly key: string | undefined;
  /** Keys that would allow it if the container had them: all of one list. A denylist needs all that close it. */
  readonly others: readonly (readonly string[])[];
  /** The keys that it has and Consul too. */
  readonly grants: readonly string[];
}

export function remedyOf(row: DeniedRow, snapshot: Snapshot, index: CatalogIndex): Remedy {
  const { container, port, services, ...flow } = row;
  const report = {
    ...{ container, workloads: [container], mode: 'enforce' as const, readAt: row.lastSeenAt },
    destinations: [{ ...flow, port }],
  };
  const { suggestions } = suggestAnswer(undefined, [report], snapshot, index);
  const found = suggestions[0];
  const line = found?.lines.find(({ asked }) => asked === undefined);
  const isRisky = line?.risky ?? false;
  // The page knows only services that keys name; the controller has found this one among all. None grants a protected host.
  const [service] = isRisky ? [] : services;
  return {
    // Without a line there is nothing to say by name either: with a denylist, a line opens nothing that a key closes.
    ...{ line: line && (service ?? line.rule), isRisky },
    isExpressible: found?.notExpressible.length === 0,
    others: keyLists(found?.keys ?? [], snapshot.denylist),
    ...placeFor(container, snapshot),
  };
}

const keyLists = (keys: readonly KeySuggestion[], isDenylist: boolean): Remedy['others'] => {
  if (isDenylist) return keys.length === 0 ? [] : [keys.map(({ key }) => key)];
  return keys.filter(({ broad }) => !broad).map(({ key }) => [key]);
};

/** Of a name: its port is assumed. */
export function nameRemedyOf({ container, keys, ...denied }: DeniedNameRow, snapshot: Snapshot): Remedy {
  const [line] = nameSuggestions({ names: { ...NO_REPORT, denied: [denied] } }, () => false);
  return {
    ...{ line: line?.rule, isExpressible: true, isRisky: false, others: keys.map((key) => [key]) },
    ...placeFor(container, snapshot),
  };
}

function placeFor(container: string, { namespaces = [], acl }: Snapshot): Pick<Remedy, 'key' | 'grants'> {
  const own = namespaces.find(({ target }) => target === container)?.grants ?? [];
  const grants = own.filter((key) => acl.has(key));
  const key = grants[0] ?? own[0];
  return { grants, key: key !== undefined && canBeTyped(key) ? key : undefined };
}

/** Stores the key's whole new text: the present one and the line. */
export function putCommand(key: string, lines: readonly string[], { acl, kvPath }: Snapshot): string {
  const held = plainSpace(acl.get(key)?.text ?? '');
  const text = formatKey(held, [{ lines: lines.map((rule) => ({ rule })) }]);
  return putTextCommand({ key, direction: 'egress', folder: kvPath }, text);
}

/** Gives a container one more key, until it is created again. */
export const setCommand = (container: string, keys: readonly string[]): string =>
  `egresstrator set ${shellWord(container)} --rules ${shellWord([...new Set(keys)].join(','))}`;

export const canBeSet = (keys: readonly string[]): boolean =>
  keys.every((key) => canBeTyped(key) && !key.includes(','));
