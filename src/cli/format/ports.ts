/**
 * Open and closed container ports, as text.
 */

import type { PortReply } from '../../daemon/api/host-schema.ts';
import type { DeniedInAnswer } from '../../diagnostics/denied-in.ts';
import type { HostAnswer } from '../../diagnostics/host-view.ts';
import { guardText, HOST_IS_OFF } from '../../format/host-rules.ts';
import type { Style } from '../../format/style.ts';
import { ago } from '../../format/values.ts';
import { deniedCallsTable } from './denied-in.ts';
import { formatProblems } from './host.ts';
import { type Column, table } from './table.ts';

type Ports = Pick<HostAnswer, 'state' | 'guard' | 'openings' | 'closed' | 'byHand' | 'problems'> & {
  readonly denied: DeniedInAnswer['calls'];
};
type Opening = HostAnswer['openings'][number];
type ClosedPort = HostAnswer['closed'][number];
type ByHand = HostAnswer['byHand'][number];

export function formatPorts(ports: Ports, now: number, style: Style): string {
  const { state, guard, openings, closed, byHand, problems, denied } = ports;
  if (state === 'off') return HOST_IS_OFF;
  if (guard === undefined) return 'No port is guarded (--ports off): all are open.';
  const none = state === 'pending' ? 'The open ports are not known yet.' : 'No container port is open.';
  const parts = [
    `Guard: ${guardText(guard)}.`,
    openings.length === 0 ? none : table(openings, OPEN, style),
    closed.length === 0 ? '' : `Published, but closed:\n${table(closed, CLOSED, style)}`,
    byHand.map((one) => byHandText(one, now, style)).join('\n'),
    denied.length === 0
      ? ''
      : `${DENIED[guard.mode]}:\n${deniedCallsTable(denied.slice(0, MOST_DENIED), now, style)}`,
    denied.length > MOST_DENIED ? 'All of them: egresstrator denied --in' : '',
    formatProblems(problems, style),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The most callers that are listed. */
const MOST_DENIED = 10;

const DENIED = {
  enforce: 'Denied callers',
  observe: 'Callers that --ports enforce would deny',
} as const;

const OPEN: readonly Column<Opening>[] = [
  { title: 'CONTAINER', text: ({ container }) => container ?? '-' },
  { title: 'ADDRESS', text: ({ address }) => address },
  { title: 'PORT', text: ({ protocol, port }) => `${protocol}/${port}`, colour: () => 'green' },
  { title: 'FROM', text: ({ from }) => callers(from) },
  { title: 'BECAUSE OF', text: ({ origin }) => origin },
];

const CLOSED: readonly Column<ClosedPort>[] = [
  { title: 'CONTAINER', text: ({ container }) => container },
  {
    title: 'PORT',
    text: ({ protocol, containerPort }) => `${protocol}/${containerPort}`,
    colour: () => 'red',
  },
  { title: 'PUBLISHED AT', text: ({ at, port }) => `${at}, port ${port}` },
];

const callers = (from: Opening['from']): string => (from === 'anyone' ? from : from.join(', '));

function byHandText(
  { container, protocol, port, kind, from, since }: ByHand,
  now: number,
  style: Style,
): string {
  const what = kind === 'close' ? 'closed' : `opened for ${callers(from)}`;
  const place = `${protocol}/${port}`;
  return `${style('yellow', container)}: ${place} was ${what} by hand ${ago(since, now)}, until it stops or "egresstrator ports own ${container} ${place}"`;
}

/** After a port was opened or closed. */
export function formatPort({ container, protocol, port, state, guard, openings }: PortReply): string {
  const place = `${container}: ${protocol}/${port}`;
  if (state === 'failed')
    return `${place}: the rules could not be loaded, and are tried again (egresstrator host status)`;
  if (state === 'pending') return `${place}: it counts from the next load on (egresstrator host status)`;
  if (openings.length === 0) return `${place} ${closedText(guard)}`;
  return openings
    .map(({ address, from, origin }) => `${place} is open at ${address} for ${callers(from)}: ${origin}`)
    .join('\n');
}

/** `is closed to calls by IPv6` */
function closedText(guard: PortReply['guard']): string {
  const verb = guard?.mode === 'observe' ? 'would be closed with --ports enforce' : 'is closed';
  const [family, other] = guard?.families ?? [];
  return family === undefined || other !== undefined ? verb : `${verb} to calls by IPv${family}`;
}
