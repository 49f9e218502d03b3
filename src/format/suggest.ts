/**
 * Suggested rules as a text that can be stored in Consul unchanged: everything but rules is a comment.
 */

import type { Direction } from '../common/direction.ts';
import { printable, quote, shellWord } from '../common/text.ts';
import type { ContainerSuggestion, KeySuggestion } from '../diagnostics/suggest-answer.ts';
import { formatRule, parseRules } from '../policy/rule.ts';
import { count, list } from './values.ts';

/** `none`: the text if there are no suggestions. */
export const formatSuggestions = (
  suggestions: readonly ContainerSuggestion[],
  denylist: boolean,
  none: string,
): string =>
  suggestions.length === 0
    ? `# ${none}`
    : suggestions.map((one) => formatSuggestion(one, denylist)).join('\n\n');

/** How the commands and messages of the two directions differ. */
const WORDS: Readonly<
  Record<Direction, { readonly kind: string; readonly suggest: string; readonly diff: string }>
> = {
  egress: { kind: 'key', suggest: '', diff: '' },
  ingress: { kind: 'ingress key', suggest: '--in ', diff: '--ingress ' },
};

/** The commands that add a suggestion to Consul. `key`: one of the container's keys; `folder`: where they are. */
export function formatEntry(
  container: string,
  key: string | undefined,
  folder: string,
  direction: Direction = 'egress',
): readonly string[] {
  if (key === undefined) return [withoutKey(container)[direction]];
  const { kind, suggest, diff } = WORDS[direction];
  if (!canBeTyped(key)) return [`Its ${kind} ${quote(key)} has a name that is unsafe on a command line.`];
  const path = `${folder.replace(/^\/+|\/+$/g, '')}/${key}`;
  const [name, word] = [shellWord(container), shellWord(key)];
  return [
    `To add them to its ${kind} ${key}:`,
    `  egresstrator suggest ${suggest}${name} --key ${word} > rules`,
    `  egresstrator diff ${diff}${word} --file rules`,
    `  consul kv put ${shellWord(path)} @rules`,
  ];
}

const withoutKey = (container: string): Readonly<Record<Direction, string>> => ({
  egress: `${container} has no key: add the rules to a key, and create the container again with EGRESSTRATOR_ACL=<key>; until then: egresstrator set ${shellWord(container)} --rules <key>`,
  ingress: `${container} names no ingress key: add the lines to a key, and create the container again with EGRESSTRATOR_INGRESS=<key>`,
});

/** A key whose name is unsafe on a command line could look like an option or contain control characters. */
export const canBeTyped = (key: string): boolean => printable(key) === key && !key.startsWith('-');

/**
 * How a container gets one more key: its environment is fixed when it is created, and `set` works until it is created
 * again. Names that are unsafe on a command line are left out.
 */
export function formatGrant(
  container: string,
  existingGrants: readonly string[],
  ...more: readonly (string | undefined)[]
): string {
  const added = more.map((key) => key ?? ANY_KEY);
  const keys = [...new Set([...existingGrants, ...(added.length === 0 ? [ANY_KEY] : added)])];
  const anew = 'EGRESSTRATOR_ACL is read when a container is created, so create it again';
  const known = keys.filter((key) => key !== ANY_KEY);
  const word =
    known.length === keys.length ? shellWord(keys.join(',')) : [...known.map(shellWord), ANY_KEY].join(',');
  return keys.every((one) => canBeTyped(one) && !one.includes(','))
    ? `${anew}; until then: egresstrator set ${shellWord(container)} --rules ${word}`
    : anew;
}

/** A placeholder for one of several keys. */
const ANY_KEY = '<key>';

/**
 * A key's whole new text: the present text and below it the suggested rules that it does not have yet. Remarks on the
 * rules are not part of it.
 */
export function formatKey(
  held: string,
  suggestions: readonly { readonly lines: readonly { readonly rule: string }[] }[],
  direction: Direction = 'egress',
): string {
  const known = new Set(parseRules('', held, direction).rules.map(({ rule }) => formatRule(rule)));
  const rules = new Set(suggestions.flatMap(({ lines }) => lines.map(({ rule }) => rule)));
  const added = [...rules].filter((rule) => !known.has(rule));
  return added.length === 0 ? held : [...(held === '' ? [] : [held.trimEnd()]), ...added].join('\n');
}

/** Normalises line ends and spaces, so that the output has no other control characters. */
export const plainSpace = (text: string): string =>
  text
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/\s/gu, ' ').trimEnd())
    .join('\n');

/** A question of DNS has no port. */
const ASSUMED = 'the port is assumed';

/** The remarks on the rules, if the text has only the rules. */
export const remarksOn = (
  { container, lines, keys, notExpressible }: ContainerSuggestion,
  denylist: boolean,
): readonly string[] => [
  ...lines.filter(({ risky }) => risky).map(({ rule }) => `${rule} names ${RISK}`),
  ...lines.filter(({ asked }) => asked !== undefined).map(({ rule }) => `${rule}: ${ASSUMED}`),
  ...(denylist && keys.length > 0 ? [`${container}: ${closedBy(keys)}, which no other key opens`] : []),
  ...(notExpressible.length === 0 ? [] : [`${container}: no rule can express ${list(notExpressible)}`]),
];

function formatSuggestion(suggestion: ContainerSuggestion, denylist: boolean): string {
  const { container, denied, lines, notExpressible } = suggestion;
  const rules = lines.map(({ rule, destinations, risky, asked }) => {
    const remarks = [
      destinations > 1 ? count(destinations, 'destination') : '',
      risky ? RISK : '',
      asked === undefined ? '' : `asked ${count(asked, 'time')}; ${ASSUMED}`,
    ].filter((one) => one !== '');
    return remarks.length === 0 ? rule : `${rule}  # ${remarks.join('; ')}`;
  });
  const names = lines.filter(({ asked }) => asked !== undefined).length;
  const rest = notExpressible.length === 0 ? [] : [`# no rule can express ${list(notExpressible)}`];
  return [
    `# ${container}: ${count(denied, 'denied destination')}${names === 0 ? '' : `, ${count(names, 'denied name')}`}`,
    ...(denylist ? closingKeys(suggestion) : grantingKeys(suggestion)),
    ...rules,
    ...rest,
  ].join('\n');
}

/** Keys that would allow some of the destinations. */
function grantingKeys({ container, existingGrants, denied, keys }: ContainerSuggestion): readonly string[] {
  const narrow = keys.filter(({ broad }) => !broad);
  const [first, ...others] = narrow;
  if (first === undefined) return [];
  const grant = formatGrant(container, existingGrants, others.length === 0 ? first.key : undefined);
  return [
    ...narrow.map(
      ({ key, destinations, rules, line, rule }) =>
        `# key ${key} (${count(rules, 'rule')}) allows ${destinations === denied ? 'all' : destinations} of them already, by line ${line}: ${rule}`,
    ),
    `# to use an existing key, add it to EGRESSTRATOR_ACL instead: ${grant}`,
  ];
}

/** Keys whose destinations a denylist closes, as the container does not have them. */
function closingKeys({ container, existingGrants, keys }: ContainerSuggestion): readonly string[] {
  if (keys.length === 0) return [];
  const names = keys.map(({ key }) => key);
  return [
    `# ${closedBy(keys)}:`,
    ...keys.map(
      ({ key, destinations, rules, line, rule }) =>
        `# key ${key} (${count(rules, 'rule')}) closes ${count(destinations, 'destination')}, by line ${line}: ${rule}`,
    ),
    `# to open them, add ${list(names)} to EGRESSTRATOR_ACL: ${formatGrant(container, existingGrants, ...names)}`,
  ];
}

const closedBy = (keys: readonly KeySuggestion[]): string =>
  `the template denylist is in use, and ${list(keys.map(({ key }) => key))}, not granted, ${keys.length === 1 ? 'closes' : 'close'} what ${keys.length === 1 ? 'it names' : 'they name'}`;

const RISK = 'protected address, such as cloud credentials: check before you allow it';
