/**
 * Suggested rules as a text that can be put into Consul as it is: what is not a rule is a comment.
 */

import { printable, quote, shellWord } from '../../common/text.ts';
import type { Suggestion } from '../../diagnostics/suggest.ts';
import { formatRule, parseRules } from '../../policy/rule.ts';
import { count, list } from './values.ts';

export interface ContainerSuggestion extends Suggestion {
  readonly container: string;
  /** The keys that it is granted. */
  readonly grants: readonly string[];
  /** Those of them that Consul has. */
  readonly held: readonly string[];
  /** What was refused and no rule can name, as text. */
  readonly unsayable: readonly string[];
}

/** `none`: what to say where nothing is to be suggested. */
export const formatSuggestions = (suggestions: readonly ContainerSuggestion[], none: string): string =>
  suggestions.length === 0 ? `# ${none}` : suggestions.map(presentOne).join('\n\n');

/** How a suggestion gets into Consul: `key` is one that the container asks for. */
export function formatEntry(container: string, key: string | undefined, kvPath: string): readonly string[] {
  if (key === undefined)
    return [
      `${container} has no key: add the rules to a key, and create the container again with EGRESSTRATOR_ACL=<key>; until then: egresstrator set ${shellWord(container)} --rules <key>`,
    ];
  if (!canBeTyped(key)) return [`Its key ${quote(key)} has a name that is unsafe on a command line.`];
  const folder = kvPath.replace(/^\/+|\/+$/g, '');
  const [name, word] = [shellWord(container), shellWord(key)];
  return [
    `To add them to its key ${key}:`,
    `  egresstrator suggest ${name} --key ${word} > rules`,
    `  egresstrator diff ${word} --file rules`,
    `  consul kv put ${shellWord(`${folder}/${key}`)} @rules`,
  ];
}

/** A key of that name is asked for by whoever wrote it: it is no option of ours, and shows all that it holds. */
const canBeTyped = (key: string): boolean => printable(key) === key && !key.startsWith('-');

/**
 * How a container that holds some keys comes by one more: its words are fixed when it is made, and `set` bridges the
 * time until it is made anew. That is not said of keys whose names no command line should hold.
 */
export function formatGrant(container: string, held: readonly string[], key = '<key>'): string {
  const keys = [...new Set([...held, key])];
  const anew = 'EGRESSTRATOR_ACL is read when a container is created, so create it again';
  const word = key === '<key>' ? [...held.map(shellWord), key].join(',') : shellWord(keys.join(','));
  return keys.every((one) => canBeTyped(one) && !one.includes(','))
    ? `${anew}; until then: egresstrator set ${shellWord(container)} --rules ${word}`
    : anew;
}

/**
 * A key's whole new text: what it holds and, below, the suggested rules that it does not hold already, each once.
 * Remarks on them are no part of it.
 */
export function formatKey(held: string, suggestions: readonly ContainerSuggestion[]): string {
  const known = new Set(parseRules('', held).rules.map(({ rule }) => formatRule(rule)));
  const rules = new Set(suggestions.flatMap(({ lines }) => lines.map(({ text }) => text)));
  const added = [...rules].filter((rule) => !known.has(rule));
  return added.length === 0 ? held : [...(held === '' ? [] : [held.trimEnd()]), ...added].join('\n');
}

/** What was remarked on the rules beside them, where the rules go elsewhere. */
export const remarksOn = ({ container, lines, unsayable }: ContainerSuggestion): readonly string[] => [
  ...lines.filter(({ risky }) => risky).map(({ text }) => `${text} names ${RISK}`),
  ...(unsayable.length === 0 ? [] : [`${container}: no rule can express ${list(unsayable)}`]),
];

function presentOne({ container, held, lines, keys, unsayable }: ContainerSuggestion): string {
  const total = lines.reduce((sum, line) => sum + line.count, 0);
  const asked = keys
    .filter(({ broad }) => !broad)
    .map(
      ({ key, count: number, rules: size, reason: { line } }) =>
        `# key ${key} (${count(size, 'rule')}) allows ${number === total ? 'all' : number} of them already, by line ${line.line}: ${formatRule(line.rule)}`,
    );
  const [first] = keys.filter(({ broad }) => !broad);
  const hint =
    first === undefined
      ? []
      : [
          `# to use an existing key, add it to EGRESSTRATOR_ACL instead: ${formatGrant(container, held, asked.length === 1 ? first.key : undefined)}`,
        ];
  const rules = lines.map(({ text, count: number, risky }) => {
    const remarks = [number > 1 ? count(number, 'destination') : '', risky ? RISK : ''].filter(
      (one) => one !== '',
    );
    return remarks.length === 0 ? text : `${text}  # ${remarks.join('; ')}`;
  });
  const rest = unsayable.length === 0 ? [] : [`# no rule can express ${list(unsayable)}`];
  return [`# ${container}: ${count(total, 'denied destination')}`, ...asked, ...hint, ...rules, ...rest].join(
    '\n',
  );
}

const RISK = 'protected address, such as cloud credentials: check before you allow it';
