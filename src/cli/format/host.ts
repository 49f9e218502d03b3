/**
 * The host's rules, as text.
 */
import type { HostAnswer, HostSummary } from '../../diagnostics/host-view.ts';
import type { HostState } from '../../features/host/states.ts';
import { guardText, HOST_IS_OFF } from '../../format/host-rules.ts';
import { HOST_MEANING } from '../../format/meaning.ts';
import type { Colour, Style } from '../../format/style.ts';
import { ago, count } from '../../format/values.ts';
import { type Column, table } from './table.ts';

type Forward = HostAnswer['forwards'][number];
type Problem = HostAnswer['problems'][number];

const COLOURS: Readonly<Record<HostState, Colour>> = {
  off: 'yellow',
  pending: 'yellow',
  loaded: 'green',
  failed: 'red',
};

export function formatHost(host: HostAnswer, now: number, style: Style): string {
  const { state, bridges, openings, closed, forwards, byHand, fingerprint, verifiedAt, lastError } = host;
  const unread = host.unread.map((reason) => `${style('red', 'error')}: ${reason}`).join('\n');
  const problems = formatProblems(host.problems, style);
  if (state === 'off') return [HOST_IS_OFF, problems].filter((part) => part !== '').join('\n\n');
  const guarded = bridges.filter((one) => one.guarded);
  const lines: readonly (readonly [string, string])[] = [
    ['state', style(COLOURS[state], state)],
    ['description', HOST_MEANING[state]],
    ['ports', guardText(host.guard)],
    ...(host.guard === undefined
      ? []
      : ([
          ['guarded', guarded.map(({ name }) => name).join(', ') || 'no bridge'],
          ['open', `${count(openings.length, 'port')} (egresstrator ports)`],
          ['closed', `${count(closed.length, 'published port')} (egresstrator ports)`],
          ...(byHand.length === 0 ? [] : ([['by hand', count(byHand.length, 'port')]] as const)),
        ] as const)),
    ['forwards', `${forwards.length} (egresstrator forwards)`],
    ...(host.permits.length === 0 ? [] : ([['permits', permitsText(host.permits)]] as const)),
    ...(host.passages === undefined ? [] : ([['passages', passagesText(host.passages)]] as const)),
    ['rules', fingerprint ?? 'not known'],
    ['verified', ago(verifiedAt, now)],
    ...(lastError === undefined ? [] : ([['last error', style('red', lastError)]] as const)),
  ];
  const text = lines.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
  return [text, unread, problems].filter((part) => part !== '').join('\n\n');
}

/** The host's rules in a line of `status`, and their problems. */
export function formatHostSummary(host: HostSummary, style: Style): string {
  const { state, guard, openings, closed, forwards, permits, problems, lastError } = host;
  const ports =
    guard === undefined ? '' : `, ports ${guard.mode}: ${openings} open, ${closed} published and closed`;
  const line = `Host rules ${style(COLOURS[state], state)}${ports}, ${count(forwards, 'forward')}${permits === 0 ? '' : `, ${count(permits, 'permit')}`} (egresstrator host status)`;
  const failure = lastError === undefined ? '' : `${style('red', 'the host')}: ${lastError}`;
  return [line, failure, formatProblems(problems, style)].filter((part) => part !== '').join('\n');
}

/** Who may reach whom between networks. */
function permitsText(permits: HostAnswer['permits']): string {
  const shown = permits
    .slice(0, MOST_PERMITS)
    .map(({ from, to, protocol, ports, origin }) => `${from} to ${to} ${protocol}/${ports} (${origin})`);
  const rest = permits.length - shown.length;
  return [...shown, ...(rest > 0 ? [`… and ${rest} more (--json)`] : [])].join(`\n${' '.repeat(13)}`);
}

const MOST_PERMITS = 20;

/** `iptables-nft DOCKER-USER kept` */
const passagesText = (passages: NonNullable<HostAnswer['passages']>): string =>
  passages.map(({ tool, chain, state }) => `${tool} ${chain} ${state}`).join(', ') ||
  'no other firewall filters what is forwarded';

export function formatForwards(
  { forwards, problems, state }: Pick<HostAnswer, 'forwards' | 'problems' | 'state'>,
  style: Style,
): string {
  if (state === 'off') return HOST_IS_OFF;
  const none =
    state === 'pending' ? 'The forwards are not known yet.' : 'No port of this host leads to a container.';
  const parts = [
    forwards.length === 0 ? none : table(forwards, COLUMNS, style),
    formatProblems(problems, style),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

const COLUMNS: readonly Column<Forward>[] = [
  { title: 'AT', text: ({ at }) => at },
  { title: 'PORT', text: ({ protocol, port }) => `${protocol}/${port}` },
  {
    title: 'LEADS TO',
    text: ({ to, toPort }) => (to.includes(':') ? `[${to}]:${toPort}` : `${to}:${toPort}`),
  },
  { title: 'CONTAINER', text: ({ container }) => container ?? '-' },
  { title: 'BECAUSE OF', text: ({ origin }) => origin },
];

export const formatProblems = (problems: readonly Problem[], style: Style): string =>
  problems
    .map(({ severity, reason }) => `${style(severity === 'error' ? 'red' : 'yellow', severity)}: ${reason}`)
    .join('\n');
