/**
 * How far networks.json is, as text: each kind of entry in a line, then what is not as the file says.
 */
import type { NetworksSummary } from '../../diagnostics/networks-view.ts';
import { ENTRY_STATES, type EntryState, type EntryStateName } from '../../features/networks/entry-states.ts';
import type { Colour, Style } from '../../format/style.ts';
import { ago, count } from '../../format/values.ts';

const COLOURS: Readonly<Record<EntryStateName, Colour>> = {
  applied: 'green',
  pending: 'yellow',
  failed: 'red',
  waiting: 'yellow',
  conflicting: 'red',
  invalid: 'red',
};

const KINDS = ['networks', 'attachments', 'policies', 'routes'] as const;

export function formatNetworksStatus(networks: NetworksSummary, now: number, style: Style): string {
  const { path, readAt, error, failing } = networks;
  const counts = KINDS.map((kind) => `  ${kind.padEnd(13)}${countsText(networks[kind], style)}`);
  const open = KINDS.flatMap((kind) => networks[kind]).filter(({ state }) => !NOT_LISTED.has(state));
  return [
    `networks.json ${path}, read ${ago(readAt, now)}`,
    ...(error === undefined ? [] : [`  ${style('red', 'not used')}: ${error}`]),
    ...counts,
    ...shown(failing).map(
      ({ name, reason, retryAt }) =>
        `  ${style('red', 'failed')}: ${name}: ${reason}${retryAt === undefined ? '' : `; next try ${until(retryAt, now)}`}`,
    ),
    ...shown(open).map((one) => entryText(one, style)),
  ].join('\n');
}

/** `2 applied, 1 waiting` */
function countsText(entries: readonly EntryState[], style: Style): string {
  const parts = ENTRY_STATES.flatMap((state) => {
    const number = entries.filter((one) => one.state === state).length;
    return number === 0 ? [] : [`${number} ${style(COLOURS[state], state)}`];
  });
  return parts.join(', ') || 'none';
}

/** The reasons are among the host's problems. */
const entryText = ({ path, text, state }: EntryState, style: Style): string =>
  `  ${style(COLOURS[state], state)}: ${path}${text === undefined ? '' : ` (${text})`}`;

/** Failed entries are listed as steps. */
const NOT_LISTED: ReadonlySet<EntryStateName> = new Set(['applied', 'failed']);

/** The most lines of one kind. */
const MOST = 20;

const shown = <T>(all: readonly T[]): readonly T[] => all.slice(0, MOST);

const until = (time: number, now: number): string =>
  time <= now ? 'now' : `in ${count(Math.ceil((time - now) / 1000), 'second')}`;
