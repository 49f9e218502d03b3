/**
 * `egresstrator suggest`: print rules that would allow the denied connections.
 */

import { shown } from '../../common/text.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { SuggestAnswer } from '../../diagnostics/suggest-answer.ts';
import { unlisted } from '../../format/denied-record.ts';
import {
  formatEntry,
  formatGrant,
  formatKey,
  formatSuggestions,
  plainSpace,
  remarksOn,
} from '../../format/suggest.ts';
import { inPeriod, NO_RULES } from '../../format/values.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { ask } from '../diagnostics/open.ts';
import { formatSuggestIn, remarksOnCallers } from '../format/suggest-in.ts';
import type { Output } from '../output.ts';

export async function suggest(
  container: string | undefined,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const context = commandContext(flags, terminal);
  const { output } = context;
  if (flags.in === true) return suggestIn(container, flags, context);
  const key = keyOf(flags);
  const answer = await ask(context, (diagnostics) => diagnostics.suggest({ container, key }));
  const { suggestions } = answer;
  const none = nothing(answer);
  remark(answer, output);
  // Rules are never shortened: a cut rule would be invalid.
  const fit = shown({ suggestions, none }, Number.POSITIVE_INFINITY);
  const text =
    key === undefined
      ? formatSuggestions(fit.suggestions, answer.denylist, fit.none)
      : formatKey(plainSpace(answer.keyText ?? ''), fit.suggestions);
  output.text(text, { recorded: answer.unavailableReason === undefined, suggestions, text });
  if (key === undefined) hint(answer, output);
  else for (const one of new Set(remarksOnKey(key, answer, none))) output.note(one);
}

/** Lines for ingress keys. */
async function suggestIn(
  container: string | undefined,
  flags: Flags,
  context: CommandContext,
): Promise<void> {
  const { output } = context;
  const key = keyOf(flags);
  const answer = await ask(context, (diagnostics) => diagnostics.suggestIn({ container, key }));
  const fit = shown(answer, Number.POSITIVE_INFINITY);
  const text =
    key === undefined
      ? formatSuggestIn(fit)
      : formatKey(plainSpace(answer.keyText ?? ''), fit.suggestions, 'ingress');
  output.text(text, { ...answer, text });
  const [only, ...others] = answer.suggestions;
  if (key !== undefined) for (const one of new Set(remarksOnCallers(key, answer))) output.note(one);
  else if (only !== undefined && others.length === 0 && only.lines.length > 0)
    output.hint(formatEntry(only.container, only.keys[0], answer.ingressPath, 'ingress'));
}

const keyOf = ({ key }: Flags): string | undefined => (typeof key === 'string' ? key : undefined);

/** The reason if there is nothing to suggest. */
const nothing = ({ unavailableReason, watched, covers }: SuggestAnswer): string =>
  unavailableReason ?? (watched === 0 ? NO_RULES : `nothing was denied ${inPeriod(covers)}`);

/** Notes why rules may be missing. */
function remark({ unread, incomplete }: SuggestAnswer, { note }: Output): void {
  for (const { container, error } of unread) note(`${container}: ${error}`);
  for (const one of incomplete)
    note(`${one.container}: the record is or was full, so rules may be missing: ${unlisted(one)}`);
}

/** Notes for the user of the text that the text itself does not have. */
function remarksOnKey(
  key: string,
  { suggestions, denylist, keyText }: SuggestAnswer,
  none: string,
): readonly string[] {
  const withoutKey = suggestions.filter(({ grants }) => !grants.includes(key));
  return [
    ...(suggestions.length === 0 ? [none] : []),
    ...(keyText === undefined ? [`Consul has no key ${key} yet; consul kv put creates it`] : []),
    ...withoutKey.map(
      ({ container, existingGrants }) =>
        `${container} does not have the key ${key}, so its rules do not apply: ${formatGrant(container, existingGrants, key)}`,
    ),
    ...suggestions.flatMap((one) => remarksOn(one, denylist)),
  ];
}

/** How the rules of one container get into Consul. */
function hint({ suggestions, kvPath }: SuggestAnswer, output: Output): void {
  const [only, ...others] = suggestions;
  if (only === undefined || others.length > 0 || only.lines.length === 0) return;
  output.hint(formatEntry(only.container, only.existingGrants[0] ?? only.grants[0], kvPath));
}
