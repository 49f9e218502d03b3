/**
 * Lines of ingress keys as a text that can be stored in Consul unchanged: everything but rules is a comment.
 */
import { printable, quote, shellWord } from '../../common/text.ts';
import type { CallerLine, CallerSuggestion, SuggestInAnswer } from '../../diagnostics/suggest-in.ts';
import { inPeriod, list, many } from './values.ts';

export function formatSuggestIn({ suggestions, covers, isFull }: SuggestInAnswer): string {
  const parts = [
    suggestions.length === 0 ? `# no call was denied by ingress rules ${inPeriod(covers)}` : '',
    ...suggestions.map(formatSuggestion),
    isFull ? '# a record is or was full, so callers may be missing' : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const formatSuggestion = ({ container, keys, lines, notExpressible }: CallerSuggestion): string =>
  [
    `# callers of ${container} (ingress keys: ${keys.length === 0 ? 'none' : list(keys)})`,
    ...lines.map(formatLine),
    ...notExpressible.map((one) => `# no rule can let in ${one}`),
  ].join('\n');

const formatLine = ({ rule, packets, services }: CallerLine): string =>
  `${rule}  # ${many(packets, 'packet')}${services.length === 0 ? '' : `; at its address: ${list(services.slice(0, 5))}`}`;

/** The commands that add the lines to a key. */
export function formatIngressEntry(one: CallerSuggestion, folder: string): readonly string[] {
  const [key] = one.keys;
  if (key === undefined)
    return [`${one.container} names no ingress key: create it again with EGRESSTRATOR_INGRESS=<key>`];
  if (printable(key) !== key || key.startsWith('-'))
    return [`Its ingress key ${quote(key)} has a name that is unsafe on a command line.`];
  const path = shellWord(`${folder.replace(/^\/+|\/+$/g, '')}/${key}`);
  return [
    `To let them in, add the lines to its key ${key}: consul kv get ${path}, then consul kv put ${path} @rules`,
  ];
}
