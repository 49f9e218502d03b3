/**
 * Suggested rules as a text that can be put into Consul as it is: what is not a rule is a comment.
 */
import type { Suggestion } from '../../domain/insight/suggest.ts';
import { formatRule } from '../../domain/rule.ts';
import { printable, quote, shellWord } from '../../domain/text.ts';
import { count, list } from './words.ts';

export interface ContainerSuggestion extends Suggestion {
  readonly container: string;
  /** What was refused and no rule can name, as text. */
  readonly unsayable: readonly string[];
}

/** `none`: what to say where nothing is to be suggested. */
export const presentSuggestions = (suggestions: readonly ContainerSuggestion[], none: string): string =>
  suggestions.length === 0 ? `# ${none}` : suggestions.map(presentOne).join('\n\n');

/** How a suggestion gets into Consul: `key` is one that the container asks for. */
export function presentWayIn(container: string, key: string | undefined, kvPath: string): readonly string[] {
  if (key === undefined)
    return [`${container} asks for no key: put it into one, and start it with EGRESSTRATOR_ACL=<key>`];
  if (!canBeTyped(key)) return [`Its key ${quote(key)} has a name that no command line should hold.`];
  const folder = kvPath.replace(/^\/+|\/+$/g, '');
  const [name, word] = [shellWord(container), shellWord(key)];
  return [
    `To put it into its key ${key}:`,
    `  egresstrator suggest ${name} --key ${word} > rules`,
    `  egresstrator diff ${word} --file rules`,
    `  consul kv put ${shellWord(`${folder}/${key}`)} @rules`,
  ];
}

/** A key of that name is asked for by whoever wrote it: it is no option of ours, and shows all that it holds. */
const canBeTyped = (key: string): boolean => printable(key) === key && !key.startsWith('-');

function presentOne({ container, lines, keys, unsayable }: ContainerSuggestion): string {
  const total = lines.reduce((sum, line) => sum + line.count, 0);
  const asked = keys
    .filter(({ broad }) => !broad)
    .map(
      ({ key, count: number, rules: size, reason: { line } }) =>
        `# key ${key} (${count(size, 'rule')}) allows ${number === total ? 'all' : number} of them already, by line ${line.line}: ${formatRule(line.rule)}`,
    );
  const hint = asked.length === 0 ? [] : ['# to use a key that exists, add it to EGRESSTRATOR_ACL instead'];
  const rules = lines.map(({ text, count: number, risky }) => {
    const remarks = [number > 1 ? count(number, 'destination') : '', risky ? RISK : ''].filter(
      (one) => one !== '',
    );
    return remarks.length === 0 ? text : `${text}  # ${remarks.join('; ')}`;
  });
  const rest = unsayable.length === 0 ? [] : [`# no rule can name ${list(unsayable)}`];
  return [
    `# ${container}: ${count(total, 'destination')} refused`,
    ...asked,
    ...hint,
    ...rules,
    ...rest,
  ].join('\n');
}

const RISK = 'a protected address, such as cloud credentials: be sure';
