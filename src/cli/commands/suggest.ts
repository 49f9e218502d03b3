/**
 * `egresstrator suggest`: rules that would allow what was refused, ready to be put into Consul.
 */
import type { Flags } from '../../config/config.ts';
import type { RefusalReport } from '../../controller/refusal-log.ts';
import { UserError } from '../../domain/errors.ts';
import { type Destination, destinationOf } from '../../domain/insight/destination.ts';
import { ReasonIndex } from '../../domain/insight/reason-index.ts';
import { createSuggester, type Survey, surveyOf } from '../../domain/insight/suggest.ts';
import { grantedKeys, reasonsFor } from '../../domain/resolve.ts';
import { shown } from '../../domain/text.ts';
import { ask } from '../insight/context.ts';
import { viewOf } from '../insight/knowledge.ts';
import { type Answer, learn, readRefusals } from '../insight/source.ts';
import type { Output, Terminal } from '../output.ts';
import { coveredBy } from '../present/denied.ts';
import { unlisted } from '../present/denied-record.ts';
import {
  type ContainerSuggestion,
  presentGrant,
  presentKey,
  presentSuggestions,
  presentWayIn,
  remarksOn,
} from '../present/suggest.ts';
import { lately, NOBODY, unrecorded } from '../present/words.ts';

export async function suggest(
  container: string | undefined,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const { config, output } = ask(flags, terminal);
  const [reports, answer] = await Promise.all([
    readRefusals(container, config, terminal),
    learn({ scope: 'all' }, config, terminal),
  ]);
  remark(reports, output);
  if (reports.length > 0 && reports.every(({ error }) => error !== undefined))
    throw new UserError('what was refused could not be read from any container');
  const survey = surveyOf(answer);
  const isHeld = allowedBy(flags.key, answer);
  const suggestions = reports
    .filter(({ refusals }) => refusals.length > 0)
    .map((one) => suggestFor(one, answer, survey, isHeld));
  const nothing = reports.length === 0 ? NOBODY : `nothing was refused ${lately(coveredBy(reports))}`;
  const none = answer.recordsRefusals ? nothing : unrecorded(answer.template);
  // Rules at any length: what is cut is none.
  const fit = shown({ suggestions, none }, Number.POSITIVE_INFINITY);
  const { key: wanted } = flags;
  const text =
    typeof wanted === 'string'
      ? presentKey(plainSpace(answer.acl.get(wanted)?.text ?? ''), fit.suggestions)
      : presentSuggestions(fit.suggestions, fit.none);
  const { recordsRefusals: recorded } = answer;
  output.text(text, { recorded, suggestions: suggestions.map(plainSuggestion), text });
  if (typeof wanted === 'string')
    for (const remark of new Set(remarksOnKey(wanted, suggestions, answer, none))) output.note(remark);
  const [only, ...others] = suggestions;
  if (only === undefined || others.length > 0 || flags.key !== undefined) return;
  const keys = answer.places.find(({ target }) => target === only.container)?.grants ?? [];
  const key = keys.find((one) => answer.acl.has(one)) ?? keys[0];
  output.hint(presentWayIn(only.container, key, answer.kvPath ?? config.consul.kvPath));
}

/** Why rules may be missing. */
function remark(reports: readonly RefusalReport[], { note }: Output): void {
  for (const { container, error, summary } of reports) {
    if (error !== undefined) note(`${container}: ${error}`);
    if (summary?.fullAt !== undefined)
      note(`${container}: the record is or was full, so rules may be missing: ${unlisted(summary)}`);
  }
}

/** Whether a key allows a destination already: what was refused before it did stays known for an hour. */
function allowedBy(key: unknown, { acl, catalog, protectedHosts }: Answer) {
  const held = typeof key === 'string' ? grantedKeys([key], acl) : [];
  const index = new ReasonIndex(reasonsFor(held, catalog, protectedHosts).reasons, protectedHosts);
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
    ...(acl.has(key) ? [] : [`Consul has no key ${key} yet: putting the text makes it`]),
    ...strangers.map(
      ({ container, held }) =>
        `${container} does not ask for the key ${key}, so rules in it do not help it: ${presentGrant(container, held, key)}`,
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
  { container, refusals }: RefusalReport,
  answer: Answer,
  survey: Survey,
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
