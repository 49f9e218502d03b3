/**
 * What is said of names in an explanation.
 */
import type { AskedContainer } from '../diagnostics/explain-answer.ts';
import type { AskedInVain, NameHint } from '../diagnostics/explain-names.ts';
import type { LineAnswer } from '../diagnostics/line-answer.ts';
import type { DenialCause, GrantedName } from '../features/names/name-report.ts';
import { count, sentence } from './values.ts';

/** The most lines, and addresses, that are printed. */
const MOST = 5;

/** The lines about a name, for whatever ports. */
export function formatNameLines({
  container,
  name,
  lines,
  granted,
  asked,
  noNames,
}: AskedContainer & {
  readonly name: string;
  readonly lines: readonly LineAnswer[];
  readonly granted: readonly GrantedName[];
  readonly asked?: AskedInVain | undefined;
  readonly noNames?: string | undefined;
}): string {
  if (lines.length === 0)
    return `${container} has no rule about ${name}. Give a port, such as "${name} tcp/443", to see what would allow it.`;
  if (noNames !== undefined)
    return [`${container} cannot reach ${name} by name: ${noNames}.`, ...lines.map(lineOf)].join('\n');
  return [`${container} may reach ${name} by:`, ...lines.map(lineOf), ...addressesOf(granted, asked)].join(
    '\n',
  );
}

/** The lines that allow a name, and its addresses. */
export const formatNameReasons = (
  lines: readonly LineAnswer[],
  granted: readonly GrantedName[],
  asked: AskedInVain | undefined,
): readonly string[] => [...lines.slice(0, MOST).map(lineOf), ...addressesOf(granted, asked)];

/** The names that lead to an address. */
export const formatGranted = (granted: readonly GrantedName[]): readonly string[] => [
  ...granted
    .slice(0, MOST)
    .map(({ name, ports, until }) => `  Address of ${name} (${ports}), granted until ${clock(until)}.`),
  ...rest(granted, 'name'),
];

const lineOf = ({ key, line, rule }: LineAnswer): string => `  key ${key} line ${line}: ${rule}`;

const addressesOf = (granted: readonly GrantedName[], asked: AskedInVain | undefined): readonly string[] => {
  if (granted.length === 0 && asked !== undefined) return [`  No address is granted now: ${inVain(asked)}.`];
  if (granted.length === 0) return ['  No address is granted now: one is when it asks for the name.'];
  const shown = granted
    .slice(0, MOST)
    .map(({ address, ports, until }) => `  ${address} ${ports} is granted until ${clock(until)}`);
  return [...shown, ...rest(granted, 'address')];
};

const rest = (granted: readonly GrantedName[], noun: 'name' | 'address'): readonly string[] => {
  const more = granted.length - MOST;
  return more > 0 ? [`  … and ${count(more, `more ${noun}`)}`] : [];
};

/** `12:03`, in the time zone of the host. */
const clock = (time: number): string => new Date(time).toTimeString().slice(0, 5);

/** What prevents a name from being reached, as far as names are concerned. */
export const formatNameHints = (hints: readonly NameHint[]): readonly string[] =>
  hints.flatMap((hint) => {
    if (hint.kind === 'no-names') return [`  Its rules by name grant nothing: ${hint.reason}.`];
    if (hint.kind === 'asked') return [`  ${sentence(inVain(hint))}`];
    if (hint.kind === 'other-ports') return [`  Key ${hint.key} line ${hint.line} is about it: ${hint.rule}`];
    return [];
  });

const inVain = ({ cause, reason, count: times }: AskedInVain): string => {
  const why = reason === undefined ? CAUSES[cause] : `${CAUSES[cause]} (${reason})`;
  return `it asked for the name ${count(times, 'time')} in the last hour: ${why}`;
};

/** Why a name was not answered. */
export const CAUSES: Readonly<Record<DenialCause, string>> = {
  name: 'no rule is about it',
  type: 'its type is never answered',
  fresh: 'too many new names under a wildcard',
  address: 'no rule grants its addresses',
  limit: 'a limit of addresses is reached',
  failed: 'no answer',
};
