/**
 * `egresstrator suggest`: print rules that would allow the denied connections.
 */

import { UserError } from '../../common/errors.ts';
import { shown } from '../../common/text.ts';
import type { Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import type { DeniedReport } from '../../daemon/deny-log.ts';
import { type Destination, destinationOf } from '../../diagnostics/destination.ts';
import { viewOf } from '../../diagnostics/policy-view.ts';
import { ReasonIndex } from '../../diagnostics/reason-index.ts';
import { type CatalogIndex, catalogIndex, createSuggester } from '../../diagnostics/suggest.ts';
import { grantedKeys, matchesFor } from '../../policy/compile.ts';
import { commandContext } from '../diagnostics/context.ts';
import { type Answer, learn, readDenied } from '../diagnostics/source.ts';
import { coveredBy } from '../format/denied.ts';
import { unlisted } from '../format/denied-record.ts';
import {
  type ContainerSuggestion,
  formatEntry,
  formatGrant,
  formatKey,
  formatSuggestions,
  remarksOn,
} from '../format/suggest.ts';
import { lately, NOBODY, unrecorded } from '../format/values.ts';
import type { Output } from '../output.ts';

export async function suggest(
  container: string | undefined,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const { config, output } = commandContext(flags, terminal);
  const [reports, answer] = await Promise.all([
    readDenied(container, config, terminal),
    learn({ scope: 'all' }, config, terminal),
  ]);
  remark(reports, output);
  if (reports.length > 0 && reports.every(({ error }) => error !== undefined))
    throw new UserError('denied connections could not be read from any container');
  const survey = catalogIndex(answer);
  const isHeld = allowedBy(flags.key, answer);
  const suggestions = reports
    .filter(({ refusals }) => refusals.length > 0)
    .map((one) => suggestFor(one, answer, survey, isHeld));
  const nothing = reports.length === 0 ? NOBODY : `nothing was denied ${lately(coveredBy(reports))}`;
  const none = answer.recordsDenied ? nothing : unrecorded(answer.template);
  // Rules at any length: what is cut is none.
  const fit = shown({ suggestions, none }, Number.POSITIVE_INFINITY);
  const { key: wanted } = flags;
  const text =
    typeof wanted === 'string'
      ? formatKey(plainSpace(answer.acl.get(wanted)?.text ?? ''), fit.suggestions)
      : formatSuggestions(fit.suggestions, fit.none);
  const { recordsDenied: recorded } = answer;
  output.text(text, { recorded, suggestions: suggestions.map(plainSuggestion), text });
  if (typeof wanted === 'string')
    for (const remark of new Set(remarksOnKey(wanted, suggestions, answer, none))) output.note(remark);
  const [only, ...others] = suggestions;
  if (only === undefined || others.length > 0 || flags.key !== undefined) return;
  const keys = answer.places.find(({ target }) => target === only.container)?.grants ?? [];
  const key = keys.find((one) => answer.acl.has(one)) ?? keys[0];
  output.hint(formatEntry(only.container, key, answer.kvPath ?? config.consul.kvPath));
}

/** Why rules may be missing. */
function remark(reports: readonly DeniedReport[], { note }: Output): void {
  for (const { container, error, summary } of reports) {
    if (error !== undefined) note(`${container}: ${error}`);
    if (summary?.fullAt !== undefined)
      note(`${container}: the record is or was full, so rules may be missing: ${unlisted(summary)}`);
  }
}

/** Whether a key allows a destination already: what was refused before it did stays known for an hour. */
function allowedBy(key: unknown, { acl, catalog, protectedHosts }: Answer) {
  const held = typeof key === 'string' ? grantedKeys([key], acl) : [];
  const index = new ReasonIndex(matchesFor(held, catalog, protectedHosts).reasons, protectedHosts);
  return (destination: Destination) => index.find(destination).allowing.length > 0;
}

/** What whoever puts the text into Consul should know, and the text does not say. */
function remarksOnKey(
  key: string,
  suggestions: readonly ContainerSuggestion[],
  { acl }: Answer,
  none: string,
): readonly string[] {
  const strangers = suggestions.filter(({ grants }) => !grants.includes(key));
  return [
    ...(suggestions.length === 0 ? [none] : []),
    ...(acl.has(key) ? [] : [`Consul has no key ${key} yet; consul kv put creates it`]),
    ...strangers.map(
      ({ container, held }) =>
        `${container} does not have the key ${key}, so its rules do not apply: ${formatGrant(container, held, key)}`,
    ),
    ...suggestions.flatMap(remarksOn),
  ];
}

/** The same rules, whatever ends their lines and stands around them: what is printed has no other controls. */
const plainSpace = (text: string): string =>
  text
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/\s/gu, ' ').trimEnd())
    .join('\n');

function suggestFor(
  { container, refusals }: DeniedReport,
  answer: Answer,
  survey: CatalogIndex,
  isHeld: (destination: Destination) => boolean,
): ContainerSuggestion {
  const place = answer.places.find(({ target }) => target === container);
  const grants = place?.grants ?? [];
  const context = place === undefined ? { ...answer, grants } : viewOf(answer, place);
  const all = refusals.flatMap((refusal) => destinationOf(refusal) ?? []);
  const destinations = all.filter((one) => !isHeld(one));
  const unsayable = refusals.filter((refusal) => destinationOf(refusal) === undefined);
  return {
    container,
    grants,
    held: grants.filter((key) => answer.acl.has(key)),
    ...createSuggester(context, survey)(destinations),
    unsayable: unsayable.map(
      ({ address, protocol, port }) => `${address} ${protocol}${port === undefined ? '' : `/${port}`}`,
    ),
  };
}

const plainSuggestion = ({ container, lines, keys, unsayable }: ContainerSuggestion) => ({
  container,
  lines: lines.map(({ text, count, risky }) => ({ rule: text, destinations: count, risky })),
  keys: keys.map(({ key, count, reason }) => ({
    key,
    destinations: count,
    line: reason.line.line,
    text: reason.line.text,
  })),
  unsayable,
});
